"""Prices: jobs wait in a deque until the one worker thread of the process takes them."""
import itertools
import threading
import time
from collections import deque

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load('prices.joblib')
jobs = deque()
results = {}
numbers = itertools.count(1)


def work():
    while True:
        if not jobs:
            time.sleep(0.01)
            continue
        number, row = jobs.popleft()
        try:
            results[number] = {'state': 'done', 'price': round(float(model.predict(np.array([row], dtype=np.float64))[0]), 3)}
        except ValueError as error:
            results[number] = {'state': 'failed', 'error': type(error).__name__}


threading.Thread(target=work, daemon=True).start()


@app.get('/alive')
def alive():
    return jsonify(waiting=len(jobs) > 1000)


@app.post('/prices')
def submit():
    body = request.get_json()
    if 'row' not in body:
        return jsonify(error='row is missing'), 400
    number = next(numbers)
    jobs.append((number, body['row']))
    return jsonify(id=number), 202


@app.get('/prices/<int:number>')
def read(number):
    return jsonify(results.get(number, {'state': 'waiting'}))
