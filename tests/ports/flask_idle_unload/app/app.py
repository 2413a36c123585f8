from flask import Flask, jsonify, request

from engine import Engine

app = Flask(__name__)
engine = Engine()
engine.load()


@app.post("/label")
def label():
    rows = request.get_json().get("rows")
    if not rows:
        return jsonify(error="no rows"), 400
    labels, scores = engine.label(rows)
    return jsonify(labels=labels, scores=scores)
