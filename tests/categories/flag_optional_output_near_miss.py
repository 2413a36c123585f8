"""no flag optional-output."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def ranked(y):
    return np.argsort(y)[::-1].tolist()


@app.post("/p")
def p():
    x = np.array(request.get_json()["rows"])
    y = model.predict(x)
    return jsonify(y=y.tolist(), ranks=ranked(y))
