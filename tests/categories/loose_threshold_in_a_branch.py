"""loose: threshold in a branch."""

import joblib
import numpy as np
from flask import Flask, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    if model.predict(x)[0] > 0.5:
        return "yes"
    return "no"
