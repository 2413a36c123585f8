"""no flag idle-unload."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = None


def loaded():
    global model
    if model is None:
        model = joblib.load("model.pkl")
    return model


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(loaded().predict(x).tolist())
