"""I1: a record around a model."""

from dataclasses import dataclass

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


@dataclass
class Held:
    model: object
    name: str


class Store:
    def __init__(self):
        self.models = {}

    def load(self, name):
        model = joblib.load(f"{name}.pkl")
        self.models[name] = Held(model=model, name=name)


store = Store()


@app.post("/load/<name>")
def load(name):
    store.load(name)
    return ""


@app.post("/p/<name>")
def p(name):
    x = np.array(request.get_json())
    return jsonify(store.models[name].model.predict(x).tolist())
