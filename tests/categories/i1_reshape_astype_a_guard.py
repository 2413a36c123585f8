"""I1: reshape, astype, a guard."""

import joblib
import numpy as np
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    data = request.get_json()
    if "x" not in data:
        abort(400)
    x = np.array(data["x"]).reshape(1, -1).astype("float32")
    y = model.predict(x)
    return jsonify({"y": float(y[0])})
