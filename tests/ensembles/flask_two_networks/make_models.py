import sys

import torch

sys.path.insert(0, ".")
from nets import Encoder, Head

torch.manual_seed(7)
torch.save(Encoder().state_dict(), "encoder.pt")
torch.save(Head().state_dict(), "head.pt")
