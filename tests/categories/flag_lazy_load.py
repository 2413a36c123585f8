"""flag lazy-load."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

m = None


def get():
    global m
    if m is None:
        m = joblib.load("model.pkl")
    return m


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(get().predict(x).tolist())
