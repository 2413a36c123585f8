from flask import Blueprint, current_app, jsonify, request

from . import clients, scorer
from .service import COLUMNS, Invalid

bp = Blueprint("clients", __name__)


def posted():
    record = request.get_json()
    missing = [c for c in COLUMNS if c not in record]
    if missing:
        raise Invalid("missing: " + ", ".join(missing))
    return record


@bp.get("/clients/<int:client_id>/leaving")
def client_leaving(client_id):
    client = clients.get(client_id)
    score = scorer.score([client.features()])[0]
    return jsonify(name=client.name, **score)


@bp.get("/clients/leaving")
def leaving_clients():
    found = clients.all()
    scored = list(zip(found, scorer.score([c.features() for c in found])))
    scored.sort(key=lambda pair: -pair[1]["chance"])
    return jsonify([{"id": c.id, "name": c.name, "chance": s["chance"]} for c, s in scored if s["leaves"]])


@bp.post("/leaving")
def leaving():
    return jsonify(scorer.score([posted()])[0])


@bp.post("/worth")
def worth():
    return jsonify(worth=scorer.value(posted()))


@bp.get("/health")
def health():
    return jsonify(env=current_app.config["STARTED_AS"], threshold=scorer.threshold)
