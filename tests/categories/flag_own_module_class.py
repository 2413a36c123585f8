"""flag own-module-class."""

import torch
from flask import Flask, jsonify, request

app = Flask(__name__)


class N(torch.nn.Module):
    def forward(self, x):
        return x


n = N()
n.load_state_dict(torch.load("n.pt"))


@app.post("/p")
def p():
    return jsonify(n(torch.tensor(request.get_json())).tolist())
