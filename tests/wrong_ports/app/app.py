"""Names the colour of a picture, and of rows of numbers: small enough to be wrong in every way that a port can be."""

import io
import json

import joblib
import numpy as np
import torch
from flask import Flask, Response, jsonify, request
from PIL import Image, UnidentifiedImageError

LABELS = ["red", "green", "blue", "grey"]

app = Flask(__name__)
net = torch.jit.load("colours.pt")
net.eval()
judge = joblib.load("judge.joblib")


@app.post("/picture")
def picture():
    upload = request.files.get("file")
    if upload is None:
        return jsonify(error="send a file"), 400
    try:
        image = Image.open(io.BytesIO(upload.read())).convert("RGB")
    except UnidentifiedImageError:
        return jsonify(error="not a picture"), 415
    pixels = np.asarray(image.resize((4, 4)), dtype=np.float32) / 255.0
    batch = torch.from_numpy(pixels.mean(axis=(0, 1))).unsqueeze(0)
    with torch.no_grad():
        logits = net(batch)
    scores = torch.softmax(logits, dim=1)[0].numpy()
    best = int(scores.argmax())
    return jsonify(label=LABELS[best], score=float(scores[best]), width=image.width)


@app.post("/rows")
def rows():
    given = request.get_json()["rows"]
    if not given:
        return jsonify(error="no rows"), 422
    batch = torch.tensor(given, dtype=torch.float32)
    with torch.no_grad():
        logits = net(batch)
    chances = torch.softmax(logits, dim=1).numpy()
    labels = [LABELS[i] for i in chances.argmax(axis=1)]
    return jsonify(labels=labels, chances=[[float(c) for c in row] for row in chances], count=len(given))


@app.post("/rank")
def rank():
    given = request.get_json()
    row = np.array([given["row"]], dtype=np.float64)
    if not np.isfinite(row).all():
        raise ValueError("rows are finite numbers")
    chances = judge.predict_proba(row)[0]
    order = chances.argsort()[::-1][: given.get("top", 2)]
    reply = jsonify(ranking=[{"label": LABELS[i], "chance": float(chances[i])} for i in order])
    reply.headers["X-Model"] = "judge"
    reply.set_cookie("last", LABELS[order[0]], httponly=True)
    return reply


@app.post("/lines")
def lines():
    given = request.get_json()["rows"]

    def answers():
        for row in given:
            chances = judge.predict_proba(np.array([row], dtype=np.float64))[0]
            yield json.dumps({"label": LABELS[int(chances.argmax())]}) + "\n"

    return Response(answers(), mimetype="application/x-ndjson")
