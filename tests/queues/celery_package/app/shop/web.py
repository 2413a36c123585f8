import os
from functools import wraps

from celery import chord, group
from flask import Flask, jsonify, request
from flask_caching import Cache
from prometheus_client import Counter, generate_latest

from shop.celery import celery
from shop.reports.tasks import summary
from shop.scoring.tasks import score_basket, score_many
from shop.status import status

KEYS = set(os.environ.get("API_KEYS", "k1").split(","))
called_back = []


def create_app():
    app = Flask("shop")
    app.config["CACHE_TYPE"] = "SimpleCache"
    cache = Cache(app)
    submitted = Counter("baskets_submitted", "Baskets that were sent to be scored", ["kind"])
    app.register_blueprint(status)

    def keyed(view):
        @wraps(view)
        def checked(*args, **kwargs):
            if request.args.get("key") not in KEYS:
                return jsonify(error="no key"), 401
            return view(*args, **kwargs)

        return checked

    @app.get("/up")
    def up():
        return "up"

    @app.get("/metrics")
    def metrics():
        return generate_latest(), 200, {"Content-Type": "text/plain; version=0.0.4"}

    @app.get("/called")
    def called():
        called_back.append(request.args["label"])
        return "", 204

    @app.get("/calls")
    def calls():
        return jsonify(calls=called_back)

    @app.post("/baskets")
    @keyed
    def submit():
        row = request.get_json().get("row")
        if not isinstance(row, list) or len(row) != 4:
            return jsonify(error="a row has four values"), 422
        submitted.labels("one").inc()
        callback = request.host_url + "called" if request.args.get("call") else None
        return jsonify(id=score_basket.apply_async((row,), {"callback": callback}, expires=600).id), 202

    @app.post("/batches")
    @keyed
    def batch():
        submitted.labels("many").inc()
        return jsonify(id=celery.send_task("scoring.many", args=[request.get_json()["rows"]]).id), 202

    @app.post("/reports")
    @keyed
    def report():
        rows = request.get_json()["rows"]
        work = chord(group(score_basket.s(row) for row in rows), summary.s())
        return jsonify(id=work.apply_async().id), 202

    @app.get("/quick")
    @cache.cached(timeout=300, query_string=True)
    def quick():
        row = [float(value) for value in request.args["row"].split(",")]
        return jsonify(score_many.delay([row]).get(timeout=180)[0])

    return app
