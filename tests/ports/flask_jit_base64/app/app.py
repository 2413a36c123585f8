import base64
import binascii
from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from flask import Flask, abort, jsonify, request
from PIL import Image, ImageOps

app = Flask(__name__)
net = torch.jit.load("static/mnist.pt", map_location="cpu")
net.eval()

MEAN, STD = 0.1307, 0.3081


def decode(data_url):
    """data:image/png;base64,.... from the canvas"""
    if "," in data_url:
        data_url = data_url.split(",", 1)[1]
    return Image.open(BytesIO(base64.b64decode(data_url)))


@app.route("/")
def root():
    return "draw a digit"


@app.route("/digit", methods=["POST"])
def digit():
    if not request.is_json:
        abort(415)
    payload = request.get_json()
    if "image" not in payload:
        return jsonify({"error": "image is missing"}), 400
    try:
        img = decode(payload["image"])
    except (binascii.Error, OSError) as err:
        return jsonify({"error": "cannot read image"}), 400
    img = ImageOps.invert(img.convert("L")).resize((28, 28))
    x = (np.asarray(img, dtype="float32") / 255 - MEAN) / STD
    with torch.no_grad():
        logits = net(torch.from_numpy(x)[None, None])
        probs = F.softmax(logits, dim=1)[0]
    values, indices = probs.topk(payload.get("k", 3))
    return jsonify(digits=[{"digit": int(i), "p": round(v.item(), 4)} for v, i in zip(values, indices)])
