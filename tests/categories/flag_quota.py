"""flag quota."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
asked = {}


@app.post("/p")
def p():
    who = request.headers["X-Key"]
    asked[who] = asked.get(who, 0) + 1
    if asked[who] > 100:
        return jsonify(error="too many"), 429
    x = np.array(request.get_json())
    return jsonify(model.predict(x).tolist())
