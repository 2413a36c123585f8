"""Reads the digits of a picture: find the boxes, cut them out, recognise each."""

import io

import numpy as np
from flask import Flask, jsonify, request
from PIL import Image

from detection import detect, detection_postprocess, detection_preprocess
from recognition import recognise, recognition_postprocess

app = Flask(__name__)


@app.route("/ocr", methods=["POST"])
def ocr():
    if "image" not in request.files:
        return jsonify({"error": "no image"}), 400
    image = np.array(Image.open(io.BytesIO(request.files["image"].read())).convert("L"))
    detection_input = detection_preprocess(image)
    heatmap = detect(detection_input)
    crops = detection_postprocess(image, heatmap)
    scores = recognise(crops)
    texts = recognition_postprocess(scores)
    return jsonify({"texts": texts, "count": len(texts)})


@app.route("/recognise", methods=["POST"])
def recognise_crops():
    rows = request.get_json()["crops"]
    crops = np.array(rows, dtype=np.float32)
    scores = recognise(crops)
    texts = recognition_postprocess(scores)
    return jsonify(texts)
