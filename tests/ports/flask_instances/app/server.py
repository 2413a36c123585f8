from flask import Flask, abort, jsonify, request
import joblib
import numpy as np

app = Flask(__name__)
clf = joblib.load("model.joblib")


@app.route("/ping")
def ping():
    return "pong"


@app.route("/v1/models/iris:predict", methods=["POST"])
def predict():
    if not request.is_json:
        abort(400)
    data = request.get_json()
    if "instances" not in data:
        abort(400, description="instances missing")
    X = np.asarray(data["instances"], dtype=float)
    labels = clf.predict(X)
    probs = clf.predict_proba(X)
    return jsonify({
        "predictions": labels.tolist(),
        "probabilities": [dict(zip(clf.classes_.tolist(), map(float, row))) for row in probs],
        "n": len(X),
    })


@app.errorhandler(400)
def bad_request(e):
    return jsonify(error=str(e)), 400
