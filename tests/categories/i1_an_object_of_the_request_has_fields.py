"""I1: an object of the request has fields."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


class Run:
    def __init__(self, rows):
        self.rows = rows

    def answer(self):
        return model.predict(np.array(self.rows))


@app.post("/p")
def p():
    return jsonify(Run(request.get_json()).answer().tolist())
