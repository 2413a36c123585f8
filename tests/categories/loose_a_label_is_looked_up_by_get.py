"""loose: a label is looked up by get."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

NAMES = {0: "cat", 1: "dog"}


@app.post("/p")
def p():
    x = np.array(request.get_json())
    y = model.predict(x)
    return jsonify(NAMES.get(int(y[0])))
