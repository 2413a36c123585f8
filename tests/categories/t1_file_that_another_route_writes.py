"""T1: file that another route writes."""

import json

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/a")
def a():
    with open("rows.json", "w") as f:
        json.dump(request.get_json(), f)
    return ""


@app.post("/p")
def p():
    with open("rows.json") as f:
        x = np.array(json.load(f))
    return jsonify(model.predict(x).tolist())
