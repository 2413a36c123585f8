"""flag live-source."""

import cv2
import joblib
from flask import Flask, jsonify

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.get("/p")
def p():
    camera = cv2.VideoCapture(0)
    _, frame = camera.read()
    return jsonify(model.predict(cv2.resize(frame, (8, 8)).reshape(1, -1)).tolist())
