from functools import lru_cache

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.joblib")
scaler = joblib.load("scaler.joblib")
NAMES = ["below", "above"]


@lru_cache(maxsize=256)
def predict(*row):
    features = scaler.transform(np.array([row], dtype=np.float64))
    proba = model.predict_proba(features)[0]
    return NAMES[int(proba.argmax())], round(float(proba.max()), 4)


@app.post("/predict")
def classify():
    name, score = predict(*map(float, request.get_json()["row"]))
    return jsonify(name=name, score=score)
