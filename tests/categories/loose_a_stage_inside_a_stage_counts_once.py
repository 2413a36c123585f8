"""loose: a stage inside a stage counts once."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def clean(x):
    return x / x.max()


def run(x):
    return model.predict(clean(x)) * 2


@app.post("/q")
def q():
    return jsonify(clean(np.array(request.get_json())).tolist())


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(run(x).tolist())
