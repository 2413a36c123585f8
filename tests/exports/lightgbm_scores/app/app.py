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
    rent = float(model.predict(rows)[0])
    band = "high" if rent > 1000 else "low"
    return jsonify(rent=round(rent, 2), band=band)
