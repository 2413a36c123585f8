import json
import logging
import threading
import time

import torch
from flask import Flask, Response, jsonify, request, stream_with_context
from flask.views import MethodView

from letters import VOCAB, encode
from lm import CharLM

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)


class Writer:
    def __init__(self, path):
        self.lm = CharLM(len(VOCAB))
        self.lm.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.lm.eval()

    @torch.inference_mode()
    def generate(self, prompt, length, temperature=0.0):
        ids = encode(prompt)
        hidden = None
        x = torch.tensor([ids])
        for _ in range(length):
            logits, hidden = self.lm(x, hidden)
            nxt = int(logits[0, -1].argmax())
            x = torch.tensor([[nxt]])
            yield VOCAB[nxt]

    @torch.inference_mode()
    def embed(self, texts):
        vectors = []
        for text in texts:
            out, hidden = self.lm(torch.tensor([encode(text)]), None)
            vectors.append(torch.nn.functional.normalize(hidden[0, 0], dim=0).tolist())
        return vectors


app = Flask(__name__)
writer = Writer("charlm.pt")
started = time.time()


def error(message, status=400):
    response = jsonify({"error": {"message": message, "status": status}})
    response.status_code = status
    return response


class Completions(MethodView):
    def post(self):
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return error("expected a JSON object")
        prompt = body.get("prompt")
        if not prompt or not isinstance(prompt, str):
            return error("prompt is required")
        length = int(body.get("max_tokens", 16))
        if not 0 < length <= 200:
            return error("max_tokens out of range", 422)
        if body.get("stream"):
            def events():
                for i, token in enumerate(writer.generate(prompt, length)):
                    yield "data: " + json.dumps({"index": i, "token": token}) + "\n\n"
                yield "data: [DONE]\n\n"
            return Response(stream_with_context(events()), mimetype="text/event-stream")
        text = "".join(writer.generate(prompt, length))
        logger.info("wrote %d characters", len(text))
        return jsonify({"text": text, "usage": {"prompt": len(prompt), "completion": len(text)}})


class Embeddings(MethodView):
    def post(self):
        texts = request.json["input"]
        if isinstance(texts, str):
            texts = [texts]
        if len(texts) == 0:
            return error("input is empty")
        if any(not t for t in texts):
            return error("empty text", 422)
        vectors = writer.embed(texts)
        return jsonify({"data": [{"index": i, "embedding": v} for i, v in enumerate(vectors)], "dim": len(vectors[0])})


@app.get("/similarity")
def similarity():
    a, b = request.args.get("a", ""), request.args.get("b", "")
    if not a or not b:
        return error("a and b are required")
    va, vb = writer.embed([a, b])
    return {"a": a, "b": b, "cosine": round(sum(x * y for x, y in zip(va, vb)), 5)}


@app.get("/")
def index():
    return "writer is up"


app.add_url_rule("/v1/completions", view_func=Completions.as_view("completions"))
app.add_url_rule("/v1/embeddings", view_func=Embeddings.as_view("embeddings"))

if __name__ == "__main__":
    app.run()
