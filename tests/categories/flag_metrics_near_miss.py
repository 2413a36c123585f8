"""no flag metrics."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(model.predict(x).tolist())
