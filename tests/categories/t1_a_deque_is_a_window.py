"""T1: a deque is a window."""

from collections import deque

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
window = deque()
total = 0.0


@app.post("/p")
def p():
    global total
    value = float(request.get_json()["x"])
    window.append(value)
    total += value
    if len(window) > 8:
        old = window.popleft()
        total -= old
    return jsonify(model.predict(np.array([list(window)])).tolist())
