"""loose: M1c with work in the driver."""

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


@app.post("/p")
def p():
    x = np.array(request.get_json())
    x = x / 255.0
    return jsonify(label(run(clean(x))))
