"""I1: columns and rows that the code names."""

import joblib
import pandas as pd
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    row = pd.DataFrame(request.get_json())[["age", "rooms"]].iloc[[-1]]
    return jsonify(float(model.predict_proba(row)[:, 1][-1]))
