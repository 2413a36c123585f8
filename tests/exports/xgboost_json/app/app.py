import numpy as np
import xgboost as xgb
from flask import Flask, jsonify, request

app = Flask(__name__)
model = xgb.XGBClassifier()
model.load_model("churn.json")


@app.route("/churn", methods=["POST"])
def churn():
    body = request.get_json()
    rows = np.array([[body["months"], body["calls"], body["bill"]]], dtype=np.float32)
    scores = model.predict_proba(rows)[0]
    return jsonify(churn=round(float(scores[1]), 6))
