"""T1: a folder that another route fills."""

import os

import face_recognition
from flask import Flask, jsonify, request
from werkzeug.utils import secure_filename

FACES = os.path.join("data", "faces")
app = Flask(__name__)


@app.post("/faces")
def enrol():
    picture = request.files["picture"]
    picture.save(os.path.join(FACES, secure_filename(picture.filename)))
    return "", 201


def known():
    pictures = [face_recognition.load_image_file(os.path.join(FACES, name)) for name in sorted(os.listdir(FACES))]
    return [face_recognition.face_encodings(picture)[0] for picture in pictures]


@app.post("/who")
def who():
    seen = face_recognition.face_encodings(face_recognition.load_image_file(request.files["picture"]))[0]
    return jsonify(face_recognition.compare_faces(known(), seen))
