from io import BytesIO

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, File, HTTPException, UploadFile
from PIL import Image

app = FastAPI()
session = ort.InferenceSession("net.onnx")

mean = np.array([0.485, 0.456, 0.406], dtype=np.float32)
std = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def preprocess(image_bytes):
    img = Image.open(BytesIO(image_bytes)).convert("RGB").resize((32, 32), Image.BILINEAR)
    x = (np.array(img).astype(np.float32) / 255.0 - mean) / std
    return x.transpose(2, 0, 1)[np.newaxis, ...]


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


@app.get("/healthcheck")
def healthcheck():
    return {"status": "ok"}


@app.post("/predict/")
async def predict(file: UploadFile = File(...), top_k: int = 3):
    data = await file.read()
    try:
        x = preprocess(data)
    except Exception as e:
        raise HTTPException(400, detail="invalid image")
    outputs = session.run(None, {"input": x})
    probs = softmax(outputs[0][0])
    order = np.argsort(-probs)[:top_k]
    return [{"class_id": int(i), "probability": float(probs[i])} for i in order]
