"""T1: another route sets the threshold, and it stays for every later request."""

import io

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image

app = FastAPI()
model = torch.hub.load("ultralytics/yolov5", "yolov5s")


@app.put("/confidence/{value}")
def confidence(value: float):
    model.conf = value
    return {"confidence": value}


@app.post("/boxes")
async def boxes(photo: UploadFile = File(...)):
    picture = Image.open(io.BytesIO(await photo.read())).convert("RGB")
    found = model(picture)
    return found.pandas().xyxy[0].to_dict(orient="records")
