from torch import nn

ALPHABET = "abcdefghijklmnopqrstuvwxyz .,\n"


class CharModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 12)
        self.gru = nn.GRU(12, 24, batch_first=True)
        self.head = nn.Linear(24, 30)

    def forward(self, ids, state=None):
        out, state = self.gru(self.embed(ids), state)
        return self.head(out), state
