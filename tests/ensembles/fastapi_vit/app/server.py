import base64
import binascii
import io

import torch
from fastapi import FastAPI, HTTPException
from PIL import Image
from pydantic import BaseModel
from torchvision import transforms

from vit import TinyViT

app = FastAPI(title="ViT")
net = TinyViT()
net.load_state_dict(torch.load("vit.pth", map_location="cpu"))
net.eval()

prepare_image = transforms.Compose([
    transforms.Resize((32, 32)),
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]),
])


class Picture(BaseModel):
    image: str
    top_k: int = 3


def preprocess(image: Image.Image) -> torch.Tensor:
    return prepare_image(image.convert("RGB")).unsqueeze(0)


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
        image = Image.open(io.BytesIO(base64.b64decode(picture.image)))
    except (binascii.Error, OSError) as exc:
        raise HTTPException(status_code=400, detail="bad image") from exc
    pixel_values = preprocess(image)
    logits = infer(pixel_values)
    return {"predictions": postprocess(logits, picture.top_k)}
