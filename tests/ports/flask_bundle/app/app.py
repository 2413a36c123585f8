from functools import lru_cache

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
bundle = joblib.load("m.joblib")
scaler = bundle["scaler"]
model = bundle["model"]
names = bundle["names"]


def infer(model, scaler, rows):
    x = scaler.transform(np.array(rows, dtype=float))
    return [names[i] for i in model.predict(x)]


@app.post("/p")
def p():
    body = request.get_json()
    return jsonify(infer(model, scaler, body["rows"]))


@app.post("/q")
def q():
    body = request.get_json()
    if not body.get("rows"):
        return jsonify([])
    out = infer(scaler=scaler, model=model, rows=body["rows"])
    return jsonify({"labels": out})


@lru_cache(maxsize=None)
def parts():
    import joblib

    loaded = joblib.load("m.joblib")
    return loaded["scaler"], loaded["model"], loaded["names"]


@app.post("/many")
def many():
    steps, net, labels = parts()
    rows = []
    for row in request.get_json():
        if len(row) == 4:
            rows.append(row)
    if not rows:
        return jsonify(error="no rows"), 400
    found = net.predict(steps.transform(np.array(rows, dtype=float)))
    return jsonify([labels[i] for i in found])
