"""loose: a folder of models."""

import os

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.put("/models/<name>")
def put(name):
    request.files["model"].save(os.path.join("models", f"{name}.pkl"))
    return ""


@app.post("/p")
def p():
    newest = max(os.listdir("models"))
    model = joblib.load(os.path.join("models", newest))
    rows = np.clip(np.array(request.get_json()), 0, 1)
    return jsonify(model.predict(rows).tolist())
