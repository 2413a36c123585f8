"""I1: fields of a list that is spelled out."""

import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

NAMES = ["age", "weight"]


@app.post("/p")
def p():
    data = request.get_json()
    for name in NAMES:
        if name not in data:
            return jsonify(error=f"{name} is missing"), 400
    return jsonify(model.predict([[data[name] for name in NAMES]]).tolist())
