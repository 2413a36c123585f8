"""What the workers run: each job tells in its meta how far it is."""

import io
import logging

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from rq import get_current_job

from tiles.net import load_net

logger = logging.getLogger(__name__)
CLASSES = ("water", "forest", "city", "field")
_net = None


class BadTile(ValueError):
    pass


class UnevenGrid(BadTile):
    def __init__(self, width, columns):
        super().__init__(f"{width} pixels are not {columns} columns")
        self.width, self.columns = width, columns


def get_net():
    global _net
    if _net is None:
        logger.info("loading the net")
        _net = load_net("tiles.pt", len(CLASSES))
    return _net


def note(**what):
    job = get_current_job()
    if job is not None:
        job.meta.update(what)
        job.save_meta()


def to_tensor(image):
    pixels = np.asarray(image.convert("RGB").resize((32, 32)), dtype=np.float32) / 255.0
    return torch.from_numpy(pixels).permute(2, 0, 1)


def classify(data, top=2):
    note(step="decoding")
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise BadTile("that is no picture")
    if min(image.size) < 4:
        raise BadTile(f"too small: {image.size[0]}x{image.size[1]}")
    note(step="classifying")
    with torch.no_grad():
        scores = torch.softmax(get_net()(to_tensor(image).unsqueeze(0)), dim=1)[0]
    values, indices = scores.topk(top)
    note(step="done", size=list(image.size))
    return {"labels": [{"label": CLASSES[i], "score": round(float(v), 4)} for v, i in zip(values, indices)], "width": image.width}


def classify_grid(data, columns):
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except UnidentifiedImageError:
        raise UnidentifiedImageError("no picture in %d bytes" % len(data)) from None
    if image.width % columns:
        raise UnevenGrid(image.width, columns)
    width = image.width // columns
    cells = [to_tensor(image.crop((i * width, 0, (i + 1) * width, image.height))) for i in range(columns)]
    with torch.no_grad():
        best = get_net()(torch.stack(cells)).argmax(dim=1).tolist()
    note(cells=len(best))
    return {"row": [CLASSES[i] for i in best]}


def failed(job, connection, type, value, traceback):
    connection.hset("failures", job.id, f"{type.__module__}.{type.__name__}: {value}")
