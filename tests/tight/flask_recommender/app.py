"""A shop that recommends from what each customer did so far; everything lives in this process."""

from collections import defaultdict, deque

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)

ITEMS = ["tea", "coffee", "cake", "soup", "bread", "juice"]
model = joblib.load("ranker.joblib")
history = defaultdict(lambda: deque(maxlen=20))


def profile(user):
    counts = np.zeros(len(ITEMS))
    for age, item in enumerate(reversed(history[user])):
        counts[ITEMS.index(item)] += 0.8**age
    return counts


@app.route("/health")
def health():
    return jsonify(status="ok", customers=len(history))


@app.post("/customers/<user>/events")
def add_event(user):
    item = (request.get_json(silent=True) or {}).get("item")
    if item not in ITEMS:
        return jsonify(error="unknown item"), 400
    history[user].append(item)
    return jsonify(events=len(history[user])), 201


@app.get("/customers/<user>/recommendations")
def recommend(user):
    count = request.args.get("count", default=3, type=int)
    if not 0 < count <= len(ITEMS):
        return jsonify(error="count out of range"), 400
    features = profile(user).reshape(1, -1)
    scores = model.predict_proba(features)[0]
    best = np.argsort(-scores)[:count]
    return jsonify(user=user, items=[{"item": ITEMS[i], "score": round(float(scores[i]), 5)} for i in best])


@app.delete("/customers/<user>")
def forget(user):
    history.pop(user, None)
    return "", 204


if __name__ == "__main__":
    app.run(port=5000, debug=True)
