"""loose: the best so far is worked on."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def clean(x, best):
    return (x - x.mean()) / best


def run(x):
    return model.predict_proba(x)


@app.post("/q")
def q():
    return jsonify(clean(np.array(request.get_json()), 1).tolist())


@app.post("/p")
def p():
    best = 1
    for region in request.get_json():
        for score in run(clean(np.array(region), best))[0]:
            if score > best:
                best = score
    return jsonify(float(best))
