"""M1a: what is sent, worked on."""

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
    rows = np.frombuffer(content, "f4")
    np.save(path, np.log(rows))
    return path


@app.post("/q")
def q():
    return jsonify(run(kept("a", request.get_data())).tolist())


@app.post("/p/<name>")
def p(name):
    return jsonify(run(kept(name, request.get_data())).tolist())
