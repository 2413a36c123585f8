"""flag dynamic-models."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/p")
def p():
    m = joblib.load(request.args["name"])
    return jsonify(m.predict(np.array(request.get_json())).tolist())
