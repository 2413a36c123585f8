"""I1: history of results is only reported."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

history = []


@app.post("/p")
def p():
    x = np.array(request.get_json())
    y = model.predict(x)
    history.append(y)
    return jsonify(y.tolist())
