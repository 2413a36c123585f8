"""flag result-cache."""

import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

kept = {}


@app.post("/p")
def p():
    key = request.args["k"]
    if key not in kept:
        kept[key] = model.predict([[float(key)]]).tolist()
    return jsonify(kept[key])
