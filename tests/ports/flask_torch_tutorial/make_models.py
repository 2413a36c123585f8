import torch
from model import SmallNet

torch.manual_seed(14)
torch.save(SmallNet().state_dict(), "weights.pt")
