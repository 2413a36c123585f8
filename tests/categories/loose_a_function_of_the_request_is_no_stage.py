"""loose: a function of the request is no stage."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def read():
    return np.log(np.array(request.get_json()))


def run(x):
    return model.predict(x)


@app.post("/q")
def q():
    return jsonify(read().tolist())


@app.post("/p")
def p():
    return jsonify(run(read()).tolist())
