import torch
from torch import nn

torch.manual_seed(0)


class Risk(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))


torch.save(Risk().state_dict(), "risk.pt")
