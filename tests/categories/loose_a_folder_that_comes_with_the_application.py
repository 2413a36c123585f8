"""loose: a folder that comes with the application."""

import os

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/kept/<name>")
def keep(name):
    np.save(os.path.join("kept", name), np.array(request.get_json()))
    return ""


@app.post("/p")
def p():
    means = [np.load(os.path.join("means", name)) for name in sorted(os.listdir("means"))]
    return jsonify(model.predict(np.array(request.get_json()) - np.mean(means, axis=0)).tolist())
