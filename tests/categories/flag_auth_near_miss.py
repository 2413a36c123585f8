"""no flag auth."""

import joblib
import numpy as np
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    if request.args["kind"] != "k":
        abort(400)
    return jsonify(model.predict(x).tolist())
