import sys
from pathlib import Path

import torch

sys.path.insert(0, ".")
from vision import build_backbone

torch.manual_seed(3)
Path("weights").mkdir(exist_ok=True)
torch.save(build_backbone().state_dict(), "weights/backbone.pt")
torch.save(torch.nn.Linear(32, 4).state_dict(), "weights/head.pt")
