import io
import json
import time
import uuid

import flask
import numpy as np
import redis
from PIL import Image

import helpers
import settings

app = flask.Flask(__name__)
db = redis.StrictRedis(host=settings.REDIS_HOST, port=settings.REDIS_PORT, db=settings.REDIS_DB)


def prepare_image(image, target):
    if image.mode != "L":
        image = image.convert("L")
    image = image.resize(target)
    image = np.asarray(image, dtype="float32") / 255.0
    return np.expand_dims(np.expand_dims(image, axis=0), axis=0)


@app.route("/")
def homepage():
    return "Welcome"


@app.route("/predict", methods=["POST"])
def predict():
    data = {"success": False}
    if flask.request.method == "POST":
        if flask.request.files.get("image"):
            image = flask.request.files["image"].read()
            image = Image.open(io.BytesIO(image))
            image = prepare_image(image, (settings.IMAGE_WIDTH, settings.IMAGE_HEIGHT))
            image = image.copy(order="C")

            k = str(uuid.uuid4())
            image = helpers.base64_encode_image(image)
            d = {"id": k, "image": image}
            db.rpush(settings.IMAGE_QUEUE, json.dumps(d))

            while True:
                output = db.get(k)
                if output is not None:
                    output = output.decode("utf-8")
                    data["predictions"] = json.loads(output)
                    db.delete(k)
                    break
                time.sleep(settings.CLIENT_SLEEP)

            data["success"] = True
    return flask.jsonify(data)


if __name__ == "__main__":
    print("* Starting web service...")
    app.run()
