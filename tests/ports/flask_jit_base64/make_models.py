import torch
from torch import nn

torch.manual_seed(15)
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 10)).eval()
torch.jit.script(net).save("static/mnist.pt")
