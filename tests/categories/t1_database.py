"""T1: database."""

import sqlite3

import joblib
import numpy as np
from flask import Flask, jsonify

app = Flask(__name__)
model = joblib.load("model.pkl")

db = sqlite3.connect("x")


@app.post("/p")
def p():
    row = db.execute("select a from t").fetchone()
    x = np.array(row)
    return jsonify(model.predict(x).tolist())
