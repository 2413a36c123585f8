"""loose: default filling."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array([[request.get_json().get("age", 40)]])
    return jsonify(model.predict(x).tolist())
