"""The model runs inside lambdas, comprehensions and conditional expressions."""

import joblib
import numpy as np
import pandas as pd
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.joblib")


@app.route("/mapped", methods=["POST"])
def mapped():
    rows = request.get_json()["rows"]
    return jsonify(list(map(lambda row: float(model.predict(np.array([row]))[0]), rows)))


@app.route("/each", methods=["POST"])
def each():
    rows = request.get_json()["rows"]
    return jsonify([float(model.predict(np.array([row]))[0]) for row in rows])


@app.route("/named", methods=["POST"])
def named():
    rows = request.get_json()["rows"]
    score = lambda row: float(model.predict(np.array([row]))[0])  # noqa: E731
    return jsonify([score(row) for row in rows])


@app.route("/table", methods=["POST"])
def table():
    frame = pd.DataFrame(request.get_json()["rows"])
    frame["label"] = frame.apply(lambda row: float(model.predict([row.tolist()])[0]), axis=1)
    return frame.to_json()


@app.route("/if", methods=["POST"])
def only_if():
    rows = np.array(request.get_json()["rows"])
    labels = model.predict(rows).tolist() if len(rows) else []
    return jsonify(labels)
