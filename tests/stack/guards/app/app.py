import functools
import os

import joblib
import numpy as np
from flask import Flask, abort, jsonify, request
from flask_limiter import Limiter
from statsd import StatsClient

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 256
limiter = Limiter(lambda: request.headers.get("X-Key", ""), app=app, storage_uri="memory://")
stats = StatsClient("127.0.0.1", int(os.environ.get("STATSD_PORT", 8125)), prefix="risk")
model = None


def load():
    global model
    model = joblib.load("model.joblib")


load()


def keyed(view):
    @functools.wraps(view)
    def checked(*args, **kwargs):
        if request.headers.get("X-Key") not in ("k1", "k2"):
            abort(401)
        return view(*args, **kwargs)

    return checked


@app.get("/ready")
def ready():
    if model is None:
        return jsonify(ready=False), 503
    return jsonify(ready=True)


@app.post("/risk")
@limiter.limit("2 per year")
@keyed
def risk():
    row = request.get_json()["row"]
    with stats.timer("scoring"):
        p = model.predict_proba(np.array([row], dtype=np.float64))[0, 1]
    stats.incr("scored")
    return jsonify(p=round(float(p), 4))
