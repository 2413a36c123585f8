"""loose: a folder of the request's own frames."""

import glob
import os
import shutil

import cv2
import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
FRAMES = "frames"


def extract(path):
    shutil.rmtree(FRAMES, ignore_errors=True)
    os.makedirs(FRAMES)
    film, number = cv2.VideoCapture(path), 0
    found, frame = film.read()
    while found:
        cv2.imwrite(os.path.join(FRAMES, f"{number}.jpg"), frame)
        found, frame = film.read()
        number += 1


def pixels():
    return np.stack([cv2.resize(cv2.imread(path), (8, 8)).flatten() / 255.0 for path in sorted(glob.glob(os.path.join(FRAMES, "*.jpg")))])


@app.post("/film")
def film():
    request.files["film"].save("film.mp4")
    extract("film.mp4")
    return jsonify(model.predict(pixels()).tolist())


@app.post("/chances")
def chances():
    request.files["film"].save("chances.mp4")
    extract("chances.mp4")
    return jsonify(model.predict_proba(pixels()).max(axis=1).tolist())
