"""loose: what is sent, put in a file."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def run(path):
    return np.clip(model.predict(np.load(path)), 0, 255)


def kept(name, content):
    size = len(content) // 1024
    if size > 100:
        return None
    path = "in-" + str(size * 2) + name
    with open(path, "wb") as file:
        file.write(content)
    return path


@app.post("/q")
def q():
    return jsonify(run(kept("a", request.get_data())).tolist())


@app.post("/p/<name>")
def p(name):
    return jsonify(run(kept(name, request.get_data())).tolist())
