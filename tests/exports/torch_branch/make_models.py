import torch
from torch import nn

torch.manual_seed(1)
torch.save(nn.ModuleDict({"layer": nn.Linear(3, 2)}).state_dict(), "gate.pt")
