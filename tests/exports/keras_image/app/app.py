import io

import keras
import numpy as np
from flask import Flask, jsonify, request
from PIL import Image

app = Flask(__name__)
model = keras.models.load_model("leaf.keras")
NAMES = ["oak", "birch", "pine"]


@app.route("/leaf", methods=["POST"])
def leaf():
    data = request.files["file"].read()
    image = Image.open(io.BytesIO(data)).convert("RGB").resize((24, 24))
    batch = np.expand_dims(np.asarray(image, dtype="float32") / 255.0, axis=0)
    scores = model.predict(batch, verbose=0)
    best = int(np.argmax(scores[0]))
    return jsonify(name=NAMES[best], score=round(float(scores[0][best]), 5))
