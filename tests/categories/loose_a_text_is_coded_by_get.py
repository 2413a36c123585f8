"""loose: a text is coded by get."""

import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

CODES = {"small": 0, "large": 1}


@app.post("/p")
def p():
    data = request.get_json()
    return jsonify(model.predict([[CODES.get(data["size"]), data["age"]]]).tolist())
