import base64
import binascii
import io

import numpy as np
import torch
from fastapi import FastAPI, HTTPException
from PIL import Image
from pydantic import BaseModel

from vit import TinyViT

app = FastAPI(title="ViT")
net = TinyViT()
net.load_state_dict(torch.load("vit.pth", map_location="cpu"))
net.eval()


class Picture(BaseModel):
    image: str
    top_k: int = 3


def preprocess(content: bytes) -> torch.Tensor:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    pixels = np.asarray(image.resize((32, 32), Image.BILINEAR), dtype=np.float32) / 127.5 - 1.0
    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0).contiguous()


def infer(pixel_values: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net(pixel_values)


def postprocess(logits: torch.Tensor, top_k: int) -> list:
    probabilities = torch.softmax(logits, dim=-1)[0]
    values, indices = torch.topk(probabilities, top_k)
    return [{"class": int(i), "p": round(float(v), 5)} for v, i in zip(values, indices)]


@app.post("/classify")
def classify(picture: Picture):
    try:
        content = base64.b64decode(picture.image, validate=True)
    except binascii.Error as exc:
        raise HTTPException(status_code=400, detail="bad image") from exc
    pixel_values = preprocess(content)
    logits = infer(pixel_values)
    return {"predictions": postprocess(logits, picture.top_k)}
