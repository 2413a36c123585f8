"""Writes colours.pt and judge.joblib into the current folder: both name a colour by its red, green and blue."""

import joblib
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

net = torch.nn.Linear(3, 4)
with torch.no_grad():
    net.weight.copy_(torch.tensor([[3.1, -1.7, -1.3], [-1.9, 2.9, -1.1], [-1.2, -1.6, 3.3], [-0.7, -0.4, -0.6]]))
    net.bias.copy_(torch.tensor([0.11, 0.07, 0.03, 0.61]))
torch.jit.script(net).save("colours.pt")
rows = np.random.default_rng(5).random((400, 3))
joblib.dump(LogisticRegression().fit(rows, np.where(np.ptp(rows, axis=1) < 0.3, 3, rows.argmax(axis=1))), "judge.joblib")
