import os

from flask import Flask, jsonify, request
from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job

from tiles.jobs import classify, classify_grid, failed

app = Flask(__name__)
redis = Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379/0"))
queue = Queue("tiles", connection=redis)


@app.get("/up")
def up():
    return "up"


@app.post("/tiles")
def submit():
    if "image" not in request.files:
        return jsonify(error="no image"), 400
    job = queue.enqueue(
        classify, request.files["image"].read(), top=request.args.get("top", 2, type=int), job_timeout=60, retry=Retry(max=1),
        on_failure=Callback(failed),
    )
    return jsonify(id=job.id), 202


@app.post("/grids")
def submit_grid():
    data = request.files["image"].read() if "image" in request.files else request.get_data()
    columns = request.args.get("columns", 2, type=int)
    job = queue.enqueue_call(func=classify_grid, args=(data, columns), timeout=30, on_failure=Callback(failed))
    return jsonify(id=job.id), 202


@app.get("/jobs/<job_id>")
def status(job_id):
    job = Job.fetch(job_id, connection=redis)
    state = job.get_status().value
    answer = {"state": state, "meta": job.meta}
    if state == "finished":
        answer["result"] = job.return_value()
    elif state == "failed":
        noted = redis.hget("failures", job.id)
        answer["error"] = job.latest_result().exc_string.strip().splitlines()[-1]
        answer["noted"] = noted.decode() if noted else None
    return jsonify(answer)
