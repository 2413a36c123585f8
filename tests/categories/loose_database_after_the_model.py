"""loose: database after the model."""

import sqlite3

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")

db = sqlite3.connect("x")


@app.post("/p")
def p():
    x = np.array(request.get_json())
    y = model.predict(x).tolist()
    row = db.execute("select name from t where i = ?", y).fetchone()
    return jsonify(row)
