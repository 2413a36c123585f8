"""T1: history."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

history = []


@app.post("/a")
def a():
    history.append(request.get_json())
    return ""


@app.post("/p")
def p():
    x = np.array(history)
    return jsonify(model.predict(x).tolist())
