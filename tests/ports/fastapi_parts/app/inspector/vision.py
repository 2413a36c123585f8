from __future__ import annotations

import base64
import binascii
import io
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageDraw, UnidentifiedImageError

from .config import Settings

GRID = 8
CELL = 16
CLASSES = ("bolt", "nut", "washer", "spring")


class Box(NamedTuple):
    x: int
    y: int
    w: int
    h: int


class Part(NamedTuple):
    box: Box
    score: float
    label: str
    confidence: float


class BadImage(Exception):
    pass


def decode(data: str) -> Image.Image:
    if data.startswith("data:"):
        data = data.split(",", 1)[1]
    try:
        raw = base64.b64decode(data, validate=True)
        return Image.open(io.BytesIO(raw)).convert("RGB")
    except (binascii.Error, UnidentifiedImageError) as e:
        raise BadImage("cannot read image") from e


class Inspector:
    """Finds parts in a picture, then names each of them."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.finder = ort.InferenceSession(str(settings.weights / "finder.onnx"), providers=["CPUExecutionProvider"])
        self.namer = ort.InferenceSession(str(settings.weights / "namer.onnx"), providers=["CPUExecutionProvider"])

    def _tensor(self, image: Image.Image, size: int) -> np.ndarray:
        arr = np.asarray(image.resize((size, size)), dtype=np.float32) / 255.0
        return arr.transpose(2, 0, 1)[None]

    def find(self, image: Image.Image) -> list[tuple[Box, float]]:
        heat = self.finder.run(None, {"image": self._tensor(image, GRID * CELL)})[0][0, 0]
        heat = 1 / (1 + np.exp(-heat))
        found = []
        sx, sy = image.width / GRID, image.height / GRID
        for row, col in np.argwhere(heat >= self.settings.min_score):
            found.append((Box(int(col * sx), int(row * sy), max(int(sx), 1), max(int(sy), 1)), float(heat[row, col])))
        found.sort(key=lambda b: -b[1])
        return found[: self.settings.max_parts]

    def name(self, crops: list[Image.Image]) -> list[tuple[str, float]]:
        batch = np.concatenate([self._tensor(c, 16) for c in crops])
        logits = self.namer.run(None, {"crop": batch})[0]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs = e / e.sum(axis=1, keepdims=True)
        best = probs.argmax(axis=1)
        return [(CLASSES[i], float(p[i])) for i, p in zip(best, probs)]

    def inspect(self, image: Image.Image) -> list[Part]:
        boxes = self.find(image)
        if not boxes:
            return []
        crops = [image.crop((b.x, b.y, b.x + b.w, b.y + b.h)) for b, _ in boxes]
        names = self.name(crops)
        return [Part(b, s, n, c) for (b, s), (n, c) in zip(boxes, names)]


def draw(image: Image.Image, parts: list[Part]) -> bytes:
    canvas = image.copy()
    pen = ImageDraw.Draw(canvas)
    for p in parts:
        pen.rectangle((p.box.x, p.box.y, p.box.x + p.box.w, p.box.y + p.box.h), outline=(255, 0, 0))
    out = io.BytesIO()
    canvas.save(out, format="PNG")
    return out.getvalue()
