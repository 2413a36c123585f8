import sys

import torch

sys.path.insert(0, ".")
from watch import Net  # noqa: E402

torch.manual_seed(4)
torch.save(Net().state_dict(), "net.pt")
