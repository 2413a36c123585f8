import io
from pathlib import Path
from typing import Tuple

import numpy as np
import torch
from PIL import Image
from torch import nn

SIZE = 32
CLASSES = ["cat", "dog", "fox", "owl"]


class BadImage(ValueError):
    pass


def build_backbone() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())


class VisionPipeline:
    def __init__(self, folder: str):
        root = Path(folder)
        self.backbone = build_backbone()
        self.backbone.load_state_dict(torch.load(root / "backbone.pt", map_location="cpu"))
        self.backbone.eval()
        self.head = nn.Linear(32, len(CLASSES))
        self.head.load_state_dict(torch.load(root / "head.pt", map_location="cpu"))
        self.head.eval()

    def preprocess(self, content: bytes) -> torch.Tensor:
        try:
            image = Image.open(io.BytesIO(content)).convert("RGB")
        except OSError:
            raise BadImage("not an image")
        image = image.resize((SIZE, SIZE))
        array = np.asarray(image, dtype=np.float32) / 255.0
        return torch.from_numpy(array.transpose(2, 0, 1)).unsqueeze(0)

    @torch.no_grad()
    def extract(self, pixels: torch.Tensor) -> np.ndarray:
        return self.backbone(pixels).numpy()

    @torch.no_grad()
    def classify(self, features: np.ndarray) -> np.ndarray:
        logits = self.head(torch.from_numpy(features))
        return torch.softmax(logits, dim=1).numpy()

    def postprocess(self, probabilities: np.ndarray) -> Tuple[str, float]:
        index = int(np.argmax(probabilities[0]))
        return CLASSES[index], round(float(probabilities[0, index]), 5)

    def run(self, content: bytes) -> Tuple[str, float]:
        pixels = self.preprocess(content)
        features = self.extract(pixels)
        probabilities = self.classify(features)
        return self.postprocess(probabilities)
