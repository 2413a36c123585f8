"""loose: a model says whether another runs."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
other = joblib.load("other.pkl")
third = joblib.load("third.pkl")


def first(x):
    return model.predict(np.exp(x))


def second(x):
    return other.predict(np.log(x))


def last(x):
    return third.predict(np.sqrt(x))


@app.post("/p")
def p():
    x = np.array(request.get_json())
    kind = first(x)
    found = {}
    if kind[0] == 4:
        found["word"] = second(x).tolist()
    found["side"] = last(x).tolist()
    return jsonify(found)
