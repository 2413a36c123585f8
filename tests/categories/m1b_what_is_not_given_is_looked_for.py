"""M1b: what is not given is looked for."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
finder = joblib.load("finder.pkl")


def places_in(x):
    return (finder.predict(x) * 10).astype(int)


def codes(x, places=None):
    if places is None:
        places = finder.predict(x).astype(int)
    return model.predict(x[places])


@app.post("/q")
def q():
    return jsonify(codes(np.array(request.get_json())).tolist())


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(codes(x, places_in(x)).tolist())
