"""no flag client-keyed-blob."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

stored = {}


@app.put("/rows/<name>")
def put(name):
    stored[name] = request.get_json()
    return ""


@app.patch("/rows/<name>")
def patch(name):
    stored[name].extend(request.get_json())
    return ""


@app.post("/p/<name>")
def p(name):
    x = np.array(stored[name])
    return jsonify(model.predict(x).tolist())
