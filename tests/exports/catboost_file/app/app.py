import numpy as np
from catboost import CatBoostClassifier
from flask import Flask, jsonify, request

app = Flask(__name__)
model = CatBoostClassifier()
model.load_model("loan.cbm")


@app.route("/loan", methods=["POST"])
def loan():
    body = request.get_json()
    rows = np.array([[body["income"], body["debt"]]], dtype=np.float32)
    scores = model.predict_proba(rows)[0]
    return jsonify(granted=round(float(scores[1]), 5))
