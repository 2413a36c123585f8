"""loose: a cache with get and set."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


class Kept:
    def __init__(self):
        self.rows = {}

    def get(self, key):
        return self.rows.get(key)

    def set(self, key, row):
        self.rows[key] = row


kept = Kept()


def prepared(key):
    found = kept.get(key)
    if found is not None:
        return found
    row = np.log(np.array([[float(part) for part in key.split(",")]]))
    kept.set(key, row)
    return row


@app.post("/p")
def p():
    return jsonify(model.predict(prepared(request.args["k"])).tolist())
