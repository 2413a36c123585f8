from celery.result import AsyncResult
from flask import Flask, jsonify, request
from tasks import attempts, queue, score

app = Flask(__name__)


@app.post("/jobs")
def submit():
    return jsonify(id=score.delay(request.get_json()["row"]).id), 202


@app.get("/jobs/<job_id>")
def poll(job_id):
    job = AsyncResult(job_id, app=queue)
    if job.failed():
        return jsonify(state=job.state, error=type(job.result).__name__, attempts=len(attempts))
    return jsonify(state=job.state, result=job.result)
