import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)

MODELS = {
    "logistic": joblib.load("lr.joblib"),
    "tree": joblib.load("tree.joblib"),
}
lr_model = MODELS["logistic"]


@app.route("/models")
def models():
    return jsonify(sorted(MODELS))


@app.route("/predict/<name>", methods=["POST"])
def predict(name):
    if name not in MODELS:
        return jsonify(error="unknown model"), 404
    x = np.array(request.json["x"], dtype=float).reshape(1, -1)
    return jsonify(model=name, label=int(MODELS[name].predict(x)[0]))


@app.route("/compare", methods=["POST"])
def compare():
    x = np.array(request.json["x"], dtype=float).reshape(1, -1)
    choice = request.json.get("algorithm", "logistic")
    if choice == "logistic":
        proba = MODELS["logistic"].predict_proba(x)
    elif choice == "tree":
        proba = MODELS["tree"].predict_proba(x)
    else:
        return jsonify(error="algorithm must be logistic or tree"), 400
    return jsonify(algorithm=choice, proba=proba[0].tolist())
