"""Rents: jobs wait in a plain list until the one worker thread of the process takes them; what was answered last is kept in another."""
import itertools
import threading
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


class Office:
    def __init__(self, path):
        self.model = joblib.load(path)
        self.waiting = []
        self.latest = []
        self.results = {}
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()

    def ask(self, row):
        number = next(self.numbers)
        with self.lock:
            self.waiting.append((number, row))
        return number

    def work(self):
        while True:
            with self.lock:
                job = self.waiting.pop(0) if self.waiting else None
            if job is None:
                time.sleep(0.01)
                continue
            number, row = job
            try:
                rent = round(float(self.model.predict(np.array([row], dtype=np.float64))[0]), 3)
                self.results[number] = {'state': 'done', 'rent': rent}
            except ValueError as error:
                self.results[number] = {'state': 'failed', 'error': type(error).__name__}
            self.latest.append(number)
            while len(self.latest) > 3:
                self.latest.pop(0)


office = Office('rents.joblib')
threading.Thread(target=office.work, daemon=True).start()


@app.get('/alive')
def alive():
    return jsonify(ready=True)


@app.post('/rents')
def submit():
    body = request.get_json()
    if 'row' not in body:
        return jsonify(error='row is missing'), 400
    return jsonify(id=office.ask(body['row'])), 202


@app.get('/rents/<int:number>')
def read(number):
    return jsonify(office.results.get(number, {'state': 'waiting'}))
