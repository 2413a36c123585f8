import torch
from torch import nn


class CharLM(nn.Module):
    def __init__(self, n, size=24):
        super().__init__()
        self.emb = nn.Embedding(n, 12)
        self.rnn = nn.GRU(12, size, batch_first=True)
        self.out = nn.Linear(size, n)

    def forward(self, x, hidden=None):
        y, hidden = self.rnn(self.emb(x), hidden)
        return self.out(y), hidden
