"""Writes colours.pt into the current folder: a linear network over red, green and blue."""

import torch

net = torch.nn.Linear(3, 4)
with torch.no_grad():
    net.weight.copy_(torch.tensor([[3.1, -1.7, -1.3], [-1.9, 2.9, -1.1], [-1.2, -1.6, 3.3], [-0.7, -0.4, -0.6]]))
    net.bias.copy_(torch.tensor([0.11, 0.07, 0.03, 0.61]))
torch.jit.script(net).save("colours.pt")
