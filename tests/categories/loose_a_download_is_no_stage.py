"""loose: a download is no stage."""

import urllib.request

import cv2
import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


def fetched(url):
    answer = urllib.request.urlopen(url)
    data = np.asarray(bytearray(answer.read()), dtype="uint8")
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def label(image):
    return int(np.argmax(model.predict([image.mean(axis=(0, 1)) / 255.0])[0]))


@app.post("/first")
def first():
    return jsonify([label(fetched(url)) for url in request.get_json()["urls"]])


@app.post("/p")
def p():
    return jsonify(label(fetched(request.args["url"])))
