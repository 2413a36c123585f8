"""Two variants of a model, one chosen by the user's id, and probes that ask whether they are there."""
import zlib

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)

try:
    model_a = joblib.load("model_a.joblib")
    model_b = joblib.load("model_b.joblib")
except OSError as error:
    app.logger.error("no model: %s", error)
    model_a = model_b = None


def variant(user):
    return "b" if zlib.crc32(user.encode()) % 100 < 40 else "a"


@app.get("/health")
def health():
    return jsonify(status="up", models={"a": model_a is not None, "b": bool(model_b)})


@app.get("/ready")
def ready():
    if model_a is None or not model_b:
        return jsonify(ready=False), 503
    return jsonify(ready=True)


@app.post("/score")
def score():
    body = request.get_json()
    chosen = variant(body["user"])
    model = model_b if chosen == "b" else model_a
    features = np.array([[body["age"] / 100, np.log1p(body["balance"])]])
    probability = float(model.predict_proba(features)[0, 1])
    return jsonify(variant=chosen, score=round(probability, 4))
