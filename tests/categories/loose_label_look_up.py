"""loose: label look-up."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    y = model.predict(x)
    return jsonify({0: "a", 1: "b"}[y[0]])
