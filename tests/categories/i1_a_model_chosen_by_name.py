"""I1: a model chosen by name."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
models = {"one": joblib.load("one.pkl"), "two": joblib.load("two.pkl")}


@app.post("/p/<name>")
def p(name):
    return jsonify(models.get(name).predict(np.array(request.get_json())).tolist())
