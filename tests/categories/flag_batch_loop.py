"""flag batch-loop."""

import joblib
import numpy as np
import torch
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def clean(x):
    return (x - x.mean()) / x.std()


def run(x):
    with torch.no_grad():
        return model.predict(x)


def label(y):
    return ["cat", "dog"][int(np.argmax(y))]


@app.post("/q")
def q():
    return jsonify(clean(np.array(request.get_json())).tolist())


@app.post("/p")
def p():
    out = []
    for item in request.get_json():
        out.append(label(run(clean(np.array(item)))))
    return jsonify(out)
