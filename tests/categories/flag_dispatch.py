"""flag dispatch."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
other = joblib.load("other.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    if request.args["kind"] == "a":
        y = model.predict(x)
    else:
        y = other.predict(x)
    return jsonify(y.tolist())
