"""no flag quota."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    if len(x) > 100:
        return jsonify(error="too long"), 413
    return jsonify(model.predict(x).tolist())
