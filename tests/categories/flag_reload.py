"""flag reload."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)

m = joblib.load("a.pkl")


class S:
    pass


s = S()


@app.post("/r")
def r():
    s.m = joblib.load("b.pkl")
    return ""


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(s.m.predict(x).tolist())
