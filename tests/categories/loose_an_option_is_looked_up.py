"""loose: an option put into its code is no stage."""

import joblib
import numpy as np
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
REGIONS = {"north": 1, "south": 2}


def region(name):
    found = REGIONS.get(name)
    if found is None:
        abort(404)
    return found


def scale(x):
    return (x - x.mean()) / x.std()


@app.get("/regions/<name>")
def regions(name):
    return jsonify(region(name))


@app.post("/p")
def p():
    body = request.get_json()
    x = np.append(scale(np.array(body["x"])), region(body["region"]))
    y = model.predict([x])
    return jsonify(int(np.argmax(y)))
