"""T1: what is found is added to."""

import redis
from flask import Flask, jsonify, request
from sentence_transformers import SentenceTransformer

app = Flask(__name__)
model = SentenceTransformer("model")
store = redis.from_url("redis://")


@app.post("/p")
def p():
    texts = request.get_json()["texts"]
    found, asked = store.mget(texts), []
    for place, before in enumerate(found):
        if before is None:
            asked.append(texts[place])
        else:
            asked.append(before.decode() + texts[place])
    made = model.encode(asked).tolist()
    for text, row in zip(texts, asked):
        store.set(text, row)
    return jsonify(made)
