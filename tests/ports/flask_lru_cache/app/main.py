import io
import os
import pickle
from functools import lru_cache

import numpy as np
from flask import Flask, jsonify, request
from PIL import Image, UnidentifiedImageError

app = Flask(__name__)
MODEL_PATH = os.getenv("MODEL_PATH", "weights/digits.pkl")
ALLOWED = {"png", "jpg", "jpeg"}


@lru_cache(maxsize=1)
def get_model():
    with open(MODEL_PATH, "rb") as f:
        return pickle.load(f)


def allowed_file(filename):
    return "." in filename and filename.rsplit(".", 1)[1].lower() in ALLOWED


def preprocess(img):
    img = img.convert("L").resize((8, 8))
    arr = np.asarray(img, dtype=np.float32) / 255.0 * 16
    return arr.reshape(1, -1)


def predict(img):
    model = get_model()
    x = preprocess(img)
    return model.predict(x)


def postprocess(pred):
    return {"digit": int(pred[0]), "parity": "even" if pred[0] % 2 == 0 else "odd"}


@app.route("/digit", methods=["POST"])
def digit():
    if "image" not in request.files:
        return jsonify(error="no image"), 400
    f = request.files["image"]
    if not allowed_file(f.filename):
        return jsonify(error="file type not allowed"), 415
    try:
        img = Image.open(io.BytesIO(f.read()))
    except UnidentifiedImageError:
        return jsonify(error="not an image"), 400
    return jsonify(postprocess(predict(img)))


@app.route("/formats")
def formats():
    return jsonify(sorted(ALLOWED))
