from celery import chain
from flask import Flask, jsonify, request

from pipeline import clean, queue, rate, score

app = Flask(__name__)


@app.post("/scores")
def submit():
    record = request.get_json()
    job = chain(clean.s(record), score.s(), rate.s(digits=4))()
    return jsonify(id=job.id), 202


@app.get("/scores/<job_id>")
def poll(job_id):
    job = queue.AsyncResult(job_id)
    if job.failed():
        return jsonify(state="failed", error=str(job.result))
    return jsonify(state="done", result=job.get()) if job.ready() else jsonify(state="waiting")


@app.get("/ping")
def ping():
    return jsonify(ok=True)
