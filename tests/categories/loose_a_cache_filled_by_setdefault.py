"""loose: a cache filled by setdefault."""
import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
models = {}


def model_named(name):
    try:
        return models[name]
    except KeyError:
        return models.setdefault(name, joblib.load(f'{name}.joblib'))


@app.post('/predict')
def predict():
    row = np.log1p(np.array([request.json['x']]))
    return jsonify(round(float(model_named(request.json['model']).predict(row)[0]), 1))
