import torch

from .nets import CellDetector


class Detector:
    def __init__(self, weights):
        self.net = CellDetector()
        self.net.load_state_dict(torch.load(weights))
        self.net.eval()

    def detect(self, inputs):
        with torch.no_grad():
            return self.net(inputs["pixels"])

    def boxes(self, heat, limit=0.5):
        cells = (heat[0, 0] > limit).nonzero().tolist()
        return [(16 * x, 16 * y, 16 * x + 16, 16 * y + 16) for y, x in cells]
