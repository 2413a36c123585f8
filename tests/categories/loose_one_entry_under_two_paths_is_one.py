"""loose: one entry under two paths is one."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def clean(x):
    return (x - x.mean()) / x.std()


def run(x):
    y = model.predict(x) * 100
    return np.argmax(y)


@app.post("/q")
@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(int(run(clean(x))))
