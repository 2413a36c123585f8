"""T1: what the last request sent."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

last = {}


@app.post("/p/<name>")
def p(name):
    before = last.get(name)
    now = request.get_json()
    last[name] = now
    return jsonify(model.predict(np.array([before, now])).tolist())
