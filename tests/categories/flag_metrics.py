"""flag metrics."""

import joblib
import numpy as np
from flask import Flask, jsonify, request
from prometheus_client import Counter

app = Flask(__name__)
model = joblib.load("model.pkl")
asked = Counter("asked", "requests")


@app.post("/p")
def p():
    asked.inc()
    x = np.array(request.get_json())
    return jsonify(model.predict(x).tolist())
