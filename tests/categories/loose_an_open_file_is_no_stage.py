"""loose: a function of an open file takes no value of the model's."""

from typing import BinaryIO

import joblib
import numpy as np
from fastapi import FastAPI, UploadFile

app = FastAPI()
model = joblib.load("model.pkl")


def wave(file: BinaryIO, scale: float = 32768.0):
    return np.frombuffer(file.read(), np.int16).astype(np.float32) / scale


def loudest(samples):
    frames = samples.reshape(-1, 16)
    return int(np.argmax(model.predict(np.abs(frames))))


@app.post("/q")
def q(recording: UploadFile):
    return {"loudest": loudest(wave(recording.file))}


@app.post("/p")
def p(recording: UploadFile):
    return [loudest(wave(recording.file))]
