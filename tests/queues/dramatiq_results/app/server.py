from dramatiq import group, pipeline
from dramatiq.results import ResultFailure, ResultMissing
from flask import Flask, jsonify, request

from actors import backend, redis, risk, rounded, strict, total

app = Flask(__name__)


@app.get("/up")
def up():
    return "up"


@app.post("/risks")
def submit():
    data = request.get_json()
    if not isinstance(data.get("row"), list):
        return jsonify(error="no row"), 400
    message = risk.send_with_options(args=(data["row"],), kwargs={"threshold": data.get("threshold", 0.5)}, time_limit=30_000)
    return jsonify(id=message.message_id, actor="risk"), 202


@app.post("/strict")
def submit_strict():
    return jsonify(id=strict.send(request.get_json()["row"]).message_id, actor="strict"), 202


@app.post("/totals")
def submit_total():
    work = pipeline([total.message(request.get_json()["rows"]), rounded.message()]).run()
    return jsonify(id=work.messages[-1].message_id, actor="rounded"), 202


@app.post("/many")
def many():
    rows = request.get_json()["rows"]
    found = group([risk.message(row) for row in rows]).run()
    return jsonify(risks=[each["risk"] for each in found.get_results(block=True, timeout=180_000)])


@app.get("/results/<actor>/<message_id>")
def result(actor, message_id):
    asked = {"risk": risk, "strict": strict, "rounded": rounded}[actor].message().copy(message_id=message_id)
    try:
        return jsonify(state="done", result=asked.get_result(backend=backend))
    except ResultMissing:
        return jsonify(state="pending")
    except ResultFailure as failure:
        tries = redis.get(f"tries:{message_id}")
        return jsonify(state="failed", error=failure.orig_exc_type, message=failure.orig_exc_msg, tries=int(tries or 0))
