"""loose: setting that only start-up makes."""

import os

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

scale = float(os.environ.get("S", "1"))


@app.post("/p")
def p():
    x = np.array(request.get_json())
    x = x * scale
    return jsonify(model.predict(x).tolist())
