"""loose: a model chooses the next."""

import joblib
import numpy as np
import torch
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
other = joblib.load("other.pkl")


def first(x):
    return model.predict(np.exp(x))


def second(x):
    return other.predict(np.log(x))


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


def pick(x):
    return run(clean(x))


@app.post("/p")
def p():
    x = np.array(request.get_json())
    kind = pick(x)
    if kind[0] == 1:
        y = second(x)
    else:
        y = first(x)
    return jsonify(y.tolist())
