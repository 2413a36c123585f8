"""loose: axes that lack are added."""

import torch
from flask import Flask, jsonify, request

app = Flask(__name__)
model = torch.jit.load("model.pt")


def batch(x):
    if not isinstance(x, torch.Tensor):
        x = torch.tensor(x)
    if x.dim() == 1:
        return x.unsqueeze(0)
    return x.squeeze(0) if x.size(0) == 1 else x


def label(x):
    return int(model(x).argmax()) + 1


@app.post("/q")
def q():
    return jsonify([label(batch(row)) for row in request.get_json()["rows"]])


@app.post("/p")
def p():
    return jsonify(label(batch(request.get_json()["row"])))
