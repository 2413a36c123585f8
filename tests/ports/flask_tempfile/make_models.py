import torch
from net import ColorNet

torch.manual_seed(16)
torch.save({"epoch": 3, "state_dict": ColorNet(6).state_dict()}, "checkpoint.pth")
