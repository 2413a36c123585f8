import torch

from .nets import CropNet

NAMES = ["bolt", "nut", "washer"]


class Recogniser:
    def __init__(self, weights):
        self.net = CropNet()
        self.net.load_state_dict(torch.load(weights))
        self.net.eval()

    @torch.no_grad()
    def recognise(self, crop):
        return torch.softmax(self.net(crop), dim=1)

    def name(self, probabilities):
        best = int(probabilities[0].argmax())
        return {"name": NAMES[best], "p": round(float(probabilities[0, best]), 4)}
