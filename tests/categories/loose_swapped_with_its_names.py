"""loose: what a function puts in place together with the model (its classes, its scale) is of the artifact, no state of the application."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


class Scale:
    def __init__(self, name):
        self.by = 10.0 if name == "small" else 100.0

    def __call__(self, row):
        return np.array(row) / self.by


def load_model(name):
    return joblib.load(f"{name}.joblib")


model = load_model("small")
scale = Scale("small")


def swap(name):
    global model, scale
    model = load_model(name)
    scale = Scale(name)


def run(row):
    return int(model.predict([scale(row)]).argmax())


@app.post("/choose")
def choose():
    swap(request.form["name"])
    return jsonify(run(request.form.getlist("row", float)))


@app.post("/predict")
def predict():
    return jsonify(run(request.json["row"]))
