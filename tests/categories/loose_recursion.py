"""loose: recursion."""

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


def refine(x, depth):
    y = run(clean(x))
    if depth == 0:
        return y
    return refine(y, depth - 1)


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(label(refine(x, 3)))
