from pathlib import Path
import torch
HERE = Path()
from letters import VOCAB
from lm import CharLM
torch.manual_seed(11)
m = CharLM(len(VOCAB)); m.out.weight.data.mul_(6)
torch.save(m.state_dict(), HERE / "charlm.pt")
