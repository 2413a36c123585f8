"""River levels: routes that put work on a queue (RQ or Huey) and answer with its result, or with its id."""

import os
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request
from huey import RedisHuey
from huey.exceptions import ResultTimeout, TaskException
from redis import Redis
from rq import Queue

from jobs import flooded

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
app = Flask(__name__)
queue = Queue("floods", connection=Redis.from_url(REDIS_URL), default_timeout=60)
huey = RedisHuey("levels", url=REDIS_URL)
model = joblib.load("level.joblib")


@huey.task(retries=2, retry_delay=5, expires=30)
def level(row):
    x = np.array([row], dtype=np.float64)
    if x.shape[1] != 2:
        raise ValueError("two numbers are needed")
    return round(float(model.decision_function(x)[0]), 4)


@app.get("/up")
def up():
    return "up"


@app.post("/flood")
def flood():
    job = queue.enqueue(flooded, request.get_json()["row"], job_timeout=20, result_ttl=60)
    while job.result is None:
        time.sleep(0.05)
    return jsonify(job.result)


@app.post("/careful")
def careful():
    job = queue.enqueue(flooded, args=(request.get_json()["row"],), kwargs={"margin": 0.2})
    while not job.is_finished:
        time.sleep(0.05)
        job.refresh()
    answer = job.return_value()
    answer["careful"] = True
    return jsonify(answer)


@app.post("/watched")
def watched():
    job = queue.enqueue(flooded, request.get_json()["row"])
    while job.get_status() not in ("finished", "failed"):
        time.sleep(0.05)
    return jsonify({"state": "failed"} if job.is_failed else job.return_value())


@app.post("/flood/later")
def flood_later():
    return jsonify(id=queue.enqueue(flooded, request.get_json()["row"]).id), 202


@app.post("/level")
def now():
    return jsonify(level=level(request.get_json()["row"])(blocking=True))


@app.post("/level/soon")
def soon():
    result = level(request.get_json()["row"])
    try:
        found = result.get(blocking=True, timeout=10)
    except ResultTimeout:
        return jsonify(error="late"), 504
    return jsonify(level=found)


@app.post("/level/strict")
def strict():
    try:
        return jsonify(level=level(request.get_json()["row"]).get(blocking=True))
    except TaskException:
        return jsonify(error="bad"), 400


@app.post("/level/peek")
def peek():
    result = level(request.get_json()["row"])
    return jsonify(level=result.get(), id=result.id is not None), 202
