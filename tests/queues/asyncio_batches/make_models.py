from pathlib import Path
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
torch.jit.script(net).save(Path(".").resolve() / "risk.ts")
