import sys
from pathlib import Path

import torch

sys.path.insert(0, ".")
from pipeline.nets import CellDetector, CropNet

torch.manual_seed(5)
Path("weights").mkdir(exist_ok=True)
detector, crops = CellDetector(), CropNet()
detector.score.weight.data *= 20
crops.fc.weight.data *= 10
torch.save(detector.state_dict(), "weights/detector.pt")
torch.save(crops.state_dict(), "weights/crop.pt")
