"""loose: an upload handed to its decoder."""

import numpy as np
import onnxruntime
from flask import Flask, jsonify, request
from PIL import Image, ImageOps

app = Flask(__name__)
session = onnxruntime.InferenceSession("digits.onnx")


def drawing(upload):
    grey = ImageOps.invert(Image.open(upload).convert("L").resize((28, 28)))
    return np.asarray(grey, dtype=np.float32).reshape(1, 784)


def scores(pixels):
    return session.run(["digit"], {"pixels": pixels})[0].tolist()


@app.post("/digit")
def digit():
    return jsonify(digits=scores(drawing(request.files["image"])))
