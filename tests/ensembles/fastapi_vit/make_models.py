import sys

import torch

sys.path.insert(0, ".")
from vit import TinyViT

torch.manual_seed(5)
torch.save(TinyViT().state_dict(), "vit.pth")
