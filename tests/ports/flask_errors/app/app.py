import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
clf = joblib.load("clf.joblib")
NAMES = {0: "low", 1: "high"}


@app.route("/names")
def names():
    return jsonify(sorted(NAMES.values()))


@app.route("/score", methods=["POST"])
def score():
    try:
        data = request.get_json()
        features = [float(data["a"]), float(data.get("b", 1))]
        proba = clf.predict_proba(np.array([features]))[0]
    except Exception as error:
        app.logger.error("no score: %s", error)
        return jsonify(error=type(error).__name__), 422
    return jsonify(proba=proba.tolist(), classes=[NAMES[c] for c in clf.classes_.tolist()])


@app.route("/label", methods=["POST"])
def label():
    data = request.get_json()
    try:
        y = clf.predict([[data["a"], data["b"]]])
        if y[0] not in NAMES:
            return jsonify(error="no such class"), 500
        return jsonify(label=NAMES[int(y[0])])
    except KeyError as error:
        return jsonify(missing=error.args[0]), 400
    except (TypeError, ValueError):
        return jsonify(error="numbers expected"), 400


@app.route("/each", methods=["POST"])
def each():
    found = []
    for row in request.get_json()["rows"]:
        if len(row) != 2:
            continue
        found.append({"row": row, "label": int(clf.predict(np.array([row]))[0])})
    return jsonify(found)
