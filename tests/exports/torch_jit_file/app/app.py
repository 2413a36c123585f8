"""How bright a picture is: the upload is kept in a file, a traced network reads it from there."""

import os
import uuid

import numpy as np
import torch
from flask import Flask, jsonify, request
from PIL import Image

app = Flask(__name__)
app.config["UPLOADS"] = os.path.join(os.path.dirname(__file__), "uploads")
os.makedirs(app.config["UPLOADS"], exist_ok=True)
net = torch.jit.load("net.pt", map_location="cpu")
LABELS = ["dark", "light"]


def brightness(path):
    picture = Image.open(path).convert("RGB").resize((16, 16))
    pixels = np.asarray(picture, dtype=np.float32) / 255
    with torch.no_grad():
        scores = net(torch.from_numpy(pixels).permute(2, 0, 1)[None])[0].softmax(0)
    return LABELS[int(scores.argmax())], float(scores.max())


@app.route("/brightness", methods=["POST"])
def classify():
    path = os.path.join(app.config["UPLOADS"], f"{uuid.uuid4().hex}.png")
    request.files["picture"].save(path)
    try:
        label, score = brightness(path)
    except OSError:
        return jsonify(error="not a picture"), 422
    finally:
        os.remove(path)
    return jsonify(label=label, score=round(score, 4))
