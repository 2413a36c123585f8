import io

import numpy as np
import torch
from PIL import Image


class Preprocessor:
    def __init__(self, size=64):
        self.size = size

    def __call__(self, content):
        image = Image.open(io.BytesIO(content)).convert("RGB")
        width, height = image.size
        resized = image.resize((self.size, self.size))
        pixels = torch.from_numpy(np.asarray(resized, dtype=np.float32) / 255.0).permute(2, 0, 1)[None]
        return {"pixels": pixels, "scale": torch.tensor([[width / self.size, height / self.size]])}
