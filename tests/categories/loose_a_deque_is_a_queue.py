"""loose: a deque is a queue."""

import threading
import time
import uuid
from collections import deque

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("m.joblib")
jobs = deque()
results = {}


def work():
    while True:
        if not jobs:
            time.sleep(0.01)
            continue
        key, row = jobs.popleft()
        results[key] = round(float(model.predict(np.array([row]))[0]), 2)


threading.Thread(target=work, daemon=True).start()


@app.post("/jobs")
def submit():
    key = uuid.uuid4().hex
    jobs.append((key, request.get_json()["row"]))
    return jsonify(id=key), 202


@app.get("/jobs/<key>")
def read(key):
    if key not in results:
        return jsonify(status="waiting")
    return jsonify(status="done", y=results[key])
