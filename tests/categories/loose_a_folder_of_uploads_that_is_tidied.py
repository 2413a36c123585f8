"""loose: a folder of uploads that is tidied."""

import os
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request
from PIL import Image

app = Flask(__name__)
app.config["UPLOAD_FOLDER"] = "uploads"
model = joblib.load("model.pkl")


def tidy():
    for name in os.listdir(app.config["UPLOAD_FOLDER"]):
        path = os.path.join(app.config["UPLOAD_FOLDER"], name)
        if os.path.getmtime(path) < time.time() - 3600:
            os.remove(path)


@app.get("/uploads")
def uploads():
    return jsonify(os.listdir(app.config["UPLOAD_FOLDER"]))


@app.post("/other")
def other():
    request.files["picture"].save(os.path.join(app.config["UPLOAD_FOLDER"], request.files["picture"].filename))
    return ""


@app.post("/picture")
def picture():
    tidy()
    path = os.path.join(app.config["UPLOAD_FOLDER"], request.files["picture"].filename)
    request.files["picture"].save(path)
    grey = np.asarray(Image.open(path).convert("L")) / 255.0
    return jsonify(model.predict(grey.reshape(1, -1)).tolist())
