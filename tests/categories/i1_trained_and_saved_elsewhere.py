"""I1: trained and saved elsewhere."""

import joblib
import numpy as np
from flask import Flask, jsonify, request
from sklearn.linear_model import LinearRegression

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/train")
def train():
    m = LinearRegression()
    m.fit(*request.get_json())
    joblib.dump(m, "candidate.pkl")
    return ""


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(model.predict(x).tolist())
