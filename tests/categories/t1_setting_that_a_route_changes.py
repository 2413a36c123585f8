"""T1: setting that a route changes."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

scale = 1.0


@app.post("/a")
def a():
    global scale
    scale = request.json["s"]
    return ""


@app.post("/p")
def p():
    x = np.array(request.get_json())
    x = x * scale
    return jsonify(model.predict(x).tolist())
