from celery.result import AsyncResult
from flask import Flask, jsonify, request

from celery_task_app.tasks import predict_churn_single, submit_many
from celery_task_app.worker import app as celery_app

api = Flask(__name__)


@api.route("/churn/predict", methods=["POST"])
def churn():
    """Create celery prediction task. Return task_id to client in order to retrieve result"""
    task_id = predict_churn_single.delay(dict(request.get_json()))
    return jsonify({"task_id": str(task_id), "status": "Processing"}), 202


@api.route("/churn/predict_many", methods=["POST"])
def churn_many():
    result = submit_many(request.get_json()["rows"])
    return jsonify({"task_id": result.id, "status": "Processing"}), 202


@api.route("/churn/now", methods=["POST"])
def churn_now():
    result = predict_churn_single.apply_async(args=[request.get_json()], expires=30)
    return jsonify(result.get(timeout=20))


@api.route("/churn/result/<task_id>", methods=["GET"])
def churn_result(task_id):
    """Fetch result for given task_id"""
    task = AsyncResult(task_id, app=celery_app)
    if not task.ready():
        return jsonify({"task_id": str(task_id), "status": "Processing"}), 202
    if task.failed():
        return jsonify({"task_id": task_id, "status": "Failed", "error": f"{type(task.result).__name__}: {task.result}"})
    return jsonify({"task_id": task_id, "status": "Success", "result": task.get()})


@api.route("/ping")
def ping():
    return jsonify(ok=True)
