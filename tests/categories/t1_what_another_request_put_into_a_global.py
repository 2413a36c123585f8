"""T1: what another request put into a global."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
chosen = {}


@app.post("/choose")
def choose():
    global chosen
    chosen = request.form.to_dict()
    return ""


@app.get("/p")
def p():
    return jsonify(model.predict(np.array([list(chosen.values())])).tolist())
