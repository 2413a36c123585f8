import joblib
import numpy as np
from flask import Flask, jsonify, request
from lightgbm import LGBMRegressor

app = Flask(__name__)
model: LGBMRegressor = joblib.load("lgbm_rent.joblib")


@app.route("/rent", methods=["POST"])
def rent():
    body = request.get_json()
    rows = np.array([[body["rooms"], body["area"]]], dtype=np.float64)
    return jsonify(rent=float(model.predict(rows)[0]))
