"""T1: a feed is filled on a condition."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


class Runner:
    names = ["age", "income"]

    def __init__(self):
        self.feed = {}
        for name in self.names:
            self.feed[name] = None

    def fill(self, rows):
        for place, name in enumerate(self.names):
            self.feed[name] = np.log(rows[place])

    def run(self, rows):
        if len(rows):
            self.fill(rows)
        return model.predict([list(self.feed.values())])


runner = Runner()


@app.route("/p", methods=["POST"])
def p():
    if request.method == "POST":
        return jsonify(runner.run(np.array(request.get_json())).tolist())
