import os
import tempfile

import numpy as np
import torch
from flask import Flask, jsonify, request
from PIL import Image
from werkzeug.utils import secure_filename

from net import ColorNet

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1 << 20
CLASSES = ["warm", "cold", "neutral"]

checkpoint = torch.load("checkpoint.pth", map_location="cpu")
model = ColorNet(hidden=6)
model.load_state_dict(checkpoint["state_dict"])
model.eval()


def mean_color(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float32).reshape(-1, 3).mean(axis=0) / 255


@app.route("/color", methods=["POST"])
def color():
    upload = request.files.get("photo")
    if upload is None or upload.filename == "":
        return jsonify(error="no photo"), 400
    suffix = os.path.splitext(secure_filename(upload.filename))[1]
    with tempfile.NamedTemporaryFile(suffix=suffix, delete=False) as tmp:
        upload.save(tmp)
        path = tmp.name
    try:
        feature = mean_color(path)
        with torch.inference_mode():
            out = model(torch.tensor(feature).unsqueeze(0))
        label = CLASSES[int(out.argmax(dim=1))]
    except OSError:
        return jsonify(error="unreadable photo"), 422
    finally:
        os.remove(path)
    return jsonify(label=label, mean=[round(float(v), 3) for v in feature])


@app.route("/classes")
def classes():
    return jsonify(CLASSES)
