"""flag bootstrap-fit."""

import os

import joblib
import numpy as np
from flask import Flask, jsonify, request
from sklearn.linear_model import LinearRegression

app = Flask(__name__)
model = joblib.load("model.pkl")

m = LinearRegression()
if not os.path.exists("model.pkl"):
    m.fit([[0], [1]], [0, 1])


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(m.predict(x).tolist())
