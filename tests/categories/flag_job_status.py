"""flag job-status."""

import sqlite3

import joblib
import numpy as np
from celery import Celery
from flask import Flask, jsonify, request

app = Flask(__name__)
queue = Celery("work", broker="redis://")
model = joblib.load("model.pkl")


@queue.task
def score(rows):
    x = np.array(rows)
    return model.predict(x).tolist()


@app.post("/p")
def p():
    with sqlite3.connect("jobs.db") as jobs:
        jobs.executemany("insert into jobs values (?)", [("started",)])
    return jsonify(id=score.delay(request.get_json()).id)
