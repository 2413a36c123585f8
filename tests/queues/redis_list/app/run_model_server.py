import json
import time

import numpy as np
import redis
import torch

import helpers
import settings
from net import Net

db = redis.StrictRedis(host=settings.REDIS_HOST, port=settings.REDIS_PORT, db=settings.REDIS_DB)


def classify_process():
    print("* Loading model...")
    model = Net()
    model.load_state_dict(torch.load("digits.pt"))
    model.eval()
    print("* Model loaded")

    while True:
        queue = db.lrange(settings.IMAGE_QUEUE, 0, settings.BATCH_SIZE - 1)
        imageIDs = []
        batch = None

        for q in queue:
            q = json.loads(q.decode("utf-8"))
            image = helpers.base64_decode_image(q["image"], settings.IMAGE_DTYPE, (1, 1, settings.IMAGE_HEIGHT, settings.IMAGE_WIDTH))
            if batch is None:
                batch = image
            else:
                batch = np.vstack([batch, image])
            imageIDs.append(q["id"])

        if len(imageIDs) > 0:
            print("* Batch size: {}".format(batch.shape))
            with torch.no_grad():
                preds = torch.softmax(model(torch.from_numpy(batch.copy())), dim=1).numpy()

            for (imageID, pred) in zip(imageIDs, preds):
                output = []
                for i in pred.argsort()[::-1][:3]:
                    output.append({"label": settings.LABELS[i], "probability": float(pred[i])})
                db.set(imageID, json.dumps(output))

            db.ltrim(settings.IMAGE_QUEUE, len(imageIDs), -1)

        time.sleep(settings.SERVER_SLEEP)


if __name__ == "__main__":
    classify_process()
