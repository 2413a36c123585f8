import numpy as np
import torch
from flask import Flask, jsonify, request

from nets import Encoder, Head

app = Flask(__name__)

MEAN = np.array([5.8, 3.0, 3.7, 1.2], dtype=np.float32)
SCALE = np.array([0.8, 0.4, 1.8, 0.8], dtype=np.float32)
LABELS = ["setosa", "versicolor", "virginica"]

encoder = Encoder()
encoder.load_state_dict(torch.load("encoder.pt", map_location="cpu"))
encoder.eval()
head = Head()
head.load_state_dict(torch.load("head.pt", map_location="cpu"))
head.eval()


def scale(values) -> np.ndarray:
    row = np.array(values, dtype=np.float32).reshape(1, -1)
    return (row - MEAN) / SCALE


def encode(features):
    with torch.no_grad():
        return encoder(torch.from_numpy(features)).numpy()


def classify(embedding):
    with torch.no_grad():
        return head(torch.from_numpy(embedding)).numpy()


def best(logits):
    weights = np.exp(logits[0] - logits[0].max())
    probabilities = weights / weights.sum()
    return {"label": LABELS[int(probabilities.argmax())], "probability": round(float(probabilities.max()), 5)}


@app.route("/classify", methods=["POST"])
def classify_flower():
    body = request.get_json(silent=True)
    if not body or len(body.get("values", [])) != 4:
        return jsonify(error="four values expected"), 400
    features = scale(body["values"])
    embedding = encode(features)
    logits = classify(embedding)
    answer = best(logits)
    return jsonify(answer)


@app.route("/embed", methods=["POST"])
def embed_flower():
    body = request.get_json(silent=True)
    if not body or len(body.get("values", [])) != 4:
        return jsonify(error="four values expected"), 400
    features = scale(body["values"])
    embedding = encode(features)
    return jsonify(embedding=embedding[0].tolist())


if __name__ == "__main__":
    app.run()
