"""Three generations of a model side by side, one of them in use, and a model whose file is replaced while the service runs."""

import random

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)

VERSIONS = ("v1", "v2", "v3")
MODELS = {version: joblib.load(f"risk_{version}.joblib") for version in VERSIONS}
active = "v1"
quality = joblib.load("quality.joblib")
reloads = 0


@app.get("/versions")
def versions():
    return jsonify(known=sorted(MODELS), active=active)


@app.post("/risk/<version>")
def risk(version):
    model = MODELS.get(version)
    if model is None:
        return jsonify(error=f"no version {version}"), 404
    row = np.array([request.get_json()["row"]], dtype=np.float64)
    proba = model.predict_proba(row)[0]
    return jsonify(version=version, risk=float(proba[1]))


@app.post("/risk")
def risk_active():
    version = active
    if request.args.get("canary") and random.random() < float(request.args["canary"]):
        version = "v3"
    row = np.array([request.get_json()["row"]], dtype=np.float64)
    proba = MODELS[version].predict_proba(row)[0]
    return jsonify(version=version, risk=float(proba[1]))


@app.post("/versions/<version>/activate")
def activate(version):
    global active
    if version not in MODELS:
        return jsonify(error="unknown"), 404
    active = version
    return jsonify(active=active)


@app.post("/quality")
def check():
    row = np.array([request.get_json()["row"]], dtype=np.float64)
    return jsonify(good=bool(quality.predict(row)[0]))


@app.post("/quality/reload")
def reload_quality():
    global quality, reloads
    try:
        quality = joblib.load("quality.joblib")
    except OSError as trouble:
        return jsonify(error=type(trouble).__name__), 503
    reloads += 1
    return jsonify(reloads=reloads)
