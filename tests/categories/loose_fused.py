"""loose: fused."""

from flask import Flask, jsonify, request
from transformers import pipeline

app = Flask(__name__)

nlp = pipeline("sentiment-analysis")


@app.post("/p")
def p():
    return jsonify(nlp(request.get_json()["text"]))
