from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .network import TinyNet

LABELS = ["cat", "dog", "other"]
WEIGHTS = Path(__file__).parent / "tiny.pth"


class Predictor:
    def __init__(self, weights=WEIGHTS, size=32):
        self.size = size
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = TinyNet().to(self.device)
        self.model.load_state_dict(torch.load(weights, map_location=self.device))
        self.model.eval()

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        image = image.convert("RGB").resize((self.size, self.size))
        array = np.asarray(image, dtype=np.float32) / 255.0
        array = (array - 0.5) / 0.5
        return torch.from_numpy(array.transpose(2, 0, 1)).unsqueeze(0).to(self.device)

    @torch.no_grad()
    def predict(self, image: Image.Image) -> dict:
        tensor = self.preprocess(image)
        probs = torch.softmax(self.model(tensor), dim=1)[0].cpu().numpy()
        best = int(probs.argmax())
        return {"label": LABELS[best], "score": round(float(probs[best]), 4)}
