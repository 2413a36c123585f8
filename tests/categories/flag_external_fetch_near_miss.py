"""no flag external-fetch."""

import joblib
import numpy as np
import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    y = model.predict(x).tolist()
    requests.post("http://w/", json=y)
    return jsonify(y)
