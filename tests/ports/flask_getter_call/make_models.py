import torch
from torch import nn

torch.manual_seed(5)
torch.jit.script(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))).save("net.pt")
