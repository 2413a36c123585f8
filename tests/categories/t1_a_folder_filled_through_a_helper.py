"""T1: a folder filled through a helper."""

import os

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def store(path, content):
    with open(path, "wb") as file:
        file.write(content)


@app.post("/logs/<name>")
def log(name):
    store(f"./logs/{name}.txt", request.get_data())
    return ""


@app.post("/rows/<name>")
def keep(name):
    store(f"./rows/{name}.npy", request.get_data())
    return ""


@app.post("/rows")
def add():
    for number, row in enumerate(request.get_json()):
        np.save(os.path.join("rows", str(number)), np.array(row))
    return ""


@app.get("/labels")
def labels():
    return jsonify([model.predict(np.load(f"rows/{name}").reshape(1, -1)).tolist() for name in os.listdir("./rows")])
