import sys

import torch

sys.path.insert(0, ".")
from net import Net  # noqa: E402

torch.manual_seed(1)
torch.save(Net().state_dict(), "digits.pt")
