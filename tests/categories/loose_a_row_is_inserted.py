"""loose: a row is inserted."""

import sqlite3

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def run(x):
    return np.clip(model.predict(x), 0, 255)


def noted(connection, y):
    cursor = connection.cursor()
    cursor.execute("insert into answers values (?)", (float(y.mean()),))
    connection.commit()
    return cursor.lastrowid


@app.post("/q")
def q():
    return jsonify(run(np.array(request.get_json())).tolist())


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(noted(sqlite3.connect("a.db"), run(x)))
