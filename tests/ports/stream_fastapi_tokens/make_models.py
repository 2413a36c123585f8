import torch
from torch import nn

torch.manual_seed(31)
torch.save(nn.ModuleDict({"embed": nn.Embedding(30, 12), "gru": nn.GRU(12, 24, batch_first=True), "head": nn.Linear(24, 30)}).state_dict(), "chars.pt")
