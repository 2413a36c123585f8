from celery.exceptions import TimeoutError
from flask import Flask, jsonify, request

from tasks import grade, later

app = Flask(__name__)


@app.post("/grade")
def now():
    job = grade.apply_async(args=[request.get_json()["row"]], kwargs={"top": True}, priority=3)
    try:
        return jsonify(job.get(timeout=30))
    except TimeoutError:
        return jsonify(error="busy"), 503


@app.post("/quick")
def quick():
    return jsonify(grade.delay(request.get_json()["row"], top=False).get(timeout=30))


@app.post("/later")
def submitted():
    job = later.delay(request.get_json()["row"])
    return jsonify(job=job.id), 202
