import io

import numpy as np
import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image

app = FastAPI()
LABELS = ["ok", "scratch", "dent"]


class Inspector:
    def __init__(self, weights: str):
        self.net = torch.jit.load(weights)
        self.net.eval()

    async def preprocess(self, content: bytes) -> torch.Tensor:
        image = Image.open(io.BytesIO(content)).convert("RGB").resize((32, 32))
        array = np.asarray(image, dtype=np.float32) / 255.0
        return torch.from_numpy(array).permute(2, 0, 1).unsqueeze(0)

    async def predict(self, tensor: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.softmax(self.net(tensor), dim=1)

    async def postprocess(self, probabilities: torch.Tensor) -> dict:
        best = int(probabilities[0].argmax())
        return {"label": LABELS[best], "score": round(float(probabilities[0, best]), 4)}


inspector = Inspector("inspector.pt")


@app.post("/inspect")
async def inspect(file: UploadFile = File(...)):
    content = await file.read()
    tensor = await inspector.preprocess(content)
    probabilities = await inspector.predict(tensor)
    result = await inspector.postprocess(probabilities)
    return result
