"""no flag live-source."""

import cv2
import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


@app.post("/p")
def p():
    frame = cv2.imdecode(np.frombuffer(request.get_data(), np.uint8), 1)
    return jsonify(model.predict(cv2.resize(frame, (8, 8)).reshape(1, -1)).tolist())
