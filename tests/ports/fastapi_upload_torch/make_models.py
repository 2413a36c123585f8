import torch
from classifier.network import TinyNet

torch.manual_seed(24)
torch.save(TinyNet().state_dict(), "classifier/tiny.pth")
