"""T1: a folder that a library searches."""

import cv2
import numpy as np
from deepface import DeepFace
from flask import Flask, jsonify, request

app = Flask(__name__)
app.config["FACES"] = "faces"


def decoded(upload):
    return cv2.imdecode(np.frombuffer(upload.read(), np.uint8), cv2.IMREAD_COLOR)


@app.post("/faces/<name>")
def enrol(name):
    cv2.imwrite(f"{app.config['FACES']}/{name}.jpg", decoded(request.files["picture"]))
    return "", 201


@app.post("/who")
def who():
    found = DeepFace.find(decoded(request.files["picture"]), db_path=app.config["FACES"])
    return jsonify([frame.to_dict("records") for frame in found])
