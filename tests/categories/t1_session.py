"""T1: session."""

import joblib
import numpy as np
from flask import Flask, jsonify, session

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(session["values"])
    return jsonify(model.predict(x).tolist())
