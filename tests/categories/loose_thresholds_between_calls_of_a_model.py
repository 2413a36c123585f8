"""loose: the loop around the second model weighs each result itself."""

import cv2
import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
finder = cv2.CascadeClassifier("faces.xml")
model = joblib.load("mask.pkl")


def faces(image):
    return [image[y : y + h, x : x + w] for x, y, w, h in finder.detectMultiScale(image)]


def masked(face):
    return model.predict_proba([cv2.resize(face, (32, 32)).flatten()])[0]


def analyse(image):
    masks = 0
    for face in faces(image):
        scores = masked(face)
        if scores[1] > 0.7:
            masks += 1
    return masks


@app.post("/p")
def p():
    image = cv2.imdecode(np.frombuffer(request.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return jsonify(analyse(image))
