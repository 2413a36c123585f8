"""loose: M1b needs a driver that only passes values."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
other = joblib.load("other.pkl")


def first(x):
    return model.predict(np.exp(x))


def second(x):
    return other.predict(np.log(x))


@app.post("/p")
def p():
    x = np.array(request.get_json())
    a = first(x)
    b = second(a * 2)
    return jsonify(b.tolist())
