"""loose: what the model says of itself is no stage."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def signature():
    return {"names": sorted(model.feature_names_in_), "size": model.n_features_in_ * 2}


def run(x):
    return np.clip(model.predict(x), 0, 1)


@app.get("/signature")
def show():
    return jsonify(signature())


@app.post("/p")
def p():
    if len(request.get_json()) != signature()["size"]:
        return jsonify(error="another size"), 400
    x = np.array(request.get_json())
    return jsonify(run(x).tolist())
