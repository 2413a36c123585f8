"""loose: scaling in the call."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    return jsonify(model.predict(np.array(request.get_json()) / 255).tolist())
