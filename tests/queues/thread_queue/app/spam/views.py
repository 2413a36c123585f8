from flask import Blueprint, abort, jsonify, request

from . import worker

bp = Blueprint("spam", __name__)


@bp.route("/messages", methods=["POST"])
def post_message():
    message = request.get_json(silent=True) or abort(400)
    job_id = worker.submit(message)
    return jsonify(id=job_id), 202


@bp.route("/messages/<job_id>")
def get_message(job_id):
    if job_id not in worker.results:
        abort(404)
    return jsonify(worker.results[job_id])


@bp.route("/alive")
def alive():
    return "yes"
