import torch
from flask import Flask, jsonify, request
from torch import nn

app = Flask(__name__)
LABELS = ["low", "middle", "high"]


class Risk(nn.Module):
    def __init__(self, features=6, hidden=16, classes=3):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, rows):
        return self.layers(rows)


net = Risk()
net.load_state_dict(torch.load("risk.pt", map_location="cpu", weights_only=True))
net.eval()


@app.route("/risk", methods=["POST"])
def risk():
    values = request.get_json()["values"]
    if len(values) != 6:
        return jsonify(error="six values"), 400
    rows = torch.tensor([values], dtype=torch.float32)
    with torch.no_grad():
        scores = torch.softmax(net(rows), dim=1)[0]
    best = int(scores.argmax())
    return jsonify(label=LABELS[best], score=round(float(scores[best]), 5))
