import torch
from torch import nn

torch.manual_seed(5)
torch.jit.script(nn.Sequential(nn.Embedding(128, 8), nn.Linear(8, 160), nn.Tanh())).save("app/voice.pt")
