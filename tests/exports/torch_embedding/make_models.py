import torch
from torch import nn

torch.manual_seed(2)


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(20, 8)
        self.goods = nn.Embedding(6, 8)
        self.mix = nn.Linear(10, 8)


torch.save(TwoTower().state_dict(), "towers.pt")
