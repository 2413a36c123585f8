"""loose: results are kept for each item."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
kept = {}


def coded(text):
    return [len(text), text.count("a") / 2]


@app.post("/p")
def p():
    texts = request.get_json()
    missing = [text for text in texts if text not in kept]
    if missing:
        scores = model.predict(np.array([coded(text) for text in missing]))
        for number, text in enumerate(missing):
            kept[text] = float(scores[number])
    return jsonify([kept[text] for text in texts])
