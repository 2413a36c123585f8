from celery.result import AsyncResult
from flask import Blueprint, jsonify

from shop.celery import celery

status = Blueprint("status", __name__, url_prefix="/jobs")


@status.get("/<job_id>")
def job(job_id):
    result = AsyncResult(job_id, app=celery)
    if result.successful():
        return jsonify(state="done", result=result.get())
    if result.failed():
        noted = celery.backend.client.hget("failures", job_id)
        return jsonify(state="failed", error=type(result.result).__name__, message=str(result.result), noted=noted and noted.decode())
    return jsonify(state="pending")
