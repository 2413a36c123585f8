"""Two generations of a network side by side: a tenth of the callers gets the newer one, and who names a version gets that."""

import zlib

import torch
from flask import Flask, jsonify, request
from torch import nn

app = Flask(__name__)
LABELS = ["calm", "rough"]


class Sea(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)


def load(path, hidden):
    net = Sea(hidden)
    net.load_state_dict(torch.load(path, weights_only=True))
    net.eval()
    return net


NETS = {
    "2024": load("sea_2024.pt", 8),
    "2025": load("sea_2025.pt", 24),
}


def version_of(caller):
    """The same caller always gets the same one."""
    return "2025" if zlib.crc32(caller.encode()) % 10 == 0 else "2024"


def sorted_out(version, values):
    x = torch.tensor([values], dtype=torch.float32)
    with torch.no_grad():
        scores = NETS[version](x)[0].softmax(0)
    best = int(scores.argmax())
    return {"version": version, "label": LABELS[best], "score": round(float(scores[best]), 4)}


@app.post("/sea")
def sea():
    version = version_of(request.args.get("caller", ""))
    return jsonify(sorted_out(version, request.get_json()["values"]))


@app.post("/sea/<version>")
def sea_of(version):
    if version not in NETS:
        return jsonify(error=f"no version {version}", known=sorted(NETS)), 404
    return jsonify(sorted_out(version, request.get_json()["values"]))
