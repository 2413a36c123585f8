import json

import torch
from model import SmallNet

torch.manual_seed(14)
torch.save(SmallNet().state_dict(), "weights.pt")
with open("class_index.json", "w") as file:
    json.dump({str(i): [f"n{i:04d}", name] for i, name in enumerate(["cat", "dog", "bird", "fish"])}, file)
