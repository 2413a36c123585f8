"""flag early-exit."""

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
    found = first(x)
    if not len(found):
        return jsonify([])
    return jsonify(second(found).tolist())
