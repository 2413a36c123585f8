"""flag external-fetch."""

import joblib
import numpy as np
import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(requests.get("http://w/" + request.args["city"]).json())
    return jsonify(model.predict(x).tolist())
