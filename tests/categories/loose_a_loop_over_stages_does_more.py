"""loose: a loop over stages that works on the value itself."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


class Clean:
    def __call__(self, x):
        return (x - x.mean()) / x.std()


class Predict:
    def __init__(self):
        self.model = joblib.load("model.pkl")

    def __call__(self, x):
        return self.model.predict(x)


stages = [Clean(), Predict()]


def run(value):
    for stage in stages:
        value = stage(value * 2)
    return value


@app.post("/p")
def p():
    return jsonify(run(np.array(request.get_json())).tolist())
