"""Texts are sorted into labels that an editor changes at any time; the classifier has never seen them."""

import threading

from flask import Flask, jsonify, request
from transformers import pipeline

app = Flask(__name__)
classifier = pipeline("zero-shot-classification", model="./zero_shot", device=-1)
labels = ["sports", "politics"]
lock = threading.Lock()


def scores(text: str, candidates: list[str]) -> list[float]:
    result = classifier(text, candidate_labels=candidates)
    by_label = dict(zip(result["labels"], result["scores"]))
    return [by_label[label] for label in candidates]


@app.get("/labels")
def list_labels():
    return jsonify(labels)


@app.post("/labels")
def add_label():
    label = str((request.get_json(silent=True) or {}).get("label") or "").strip()
    if not label or label in labels:
        return jsonify(error="a new label, please"), 400
    with lock:
        labels.append(label)
    return jsonify(labels), 201


@app.post("/classify")
def classify():
    text = (request.get_json(silent=True) or {}).get("text")
    if not isinstance(text, str) or not text:
        return jsonify(error="text required"), 400
    candidates = list(labels)
    return jsonify({label: round(score, 5) for label, score in zip(candidates, scores(text, candidates))})
