import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(4 * 14 * 14, 4)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(x.flatten(1))
