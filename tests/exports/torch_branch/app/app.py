import torch
from flask import Flask, jsonify, request
from torch import nn

app = Flask(__name__)


class Gate(nn.Module):
    """What forward does depends on the values: nothing that a graph can hold."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, rows):
        if rows.isnan().any():
            rows = rows.nan_to_num()
        return self.layer(rows)


net = Gate()
net.load_state_dict(torch.load("gate.pt", map_location="cpu", weights_only=True))
net.eval()


@app.route("/gate", methods=["POST"])
def gate():
    rows = torch.tensor([request.get_json()["values"]], dtype=torch.float32)
    with torch.no_grad():
        scores = torch.sigmoid(net(rows))[0]
    return jsonify(passed=bool(scores[0] > scores[1]), scores=[round(float(score), 5) for score in scores])
