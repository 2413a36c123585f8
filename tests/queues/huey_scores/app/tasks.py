"""Scores of texts by a Huey consumer; each try of a task is noted under the task's own id."""

import os

import joblib
from huey import PriorityRedisHuey
from redis import Redis

HOST, PORT = os.environ.get("REDIS_HOST", "localhost"), int(os.environ.get("REDIS_PORT", "6379"))
huey = PriorityRedisHuey("scores", host=HOST, port=PORT)
redis = Redis(host=HOST, port=PORT)
vectorizer = None
model = None


class Empty(ValueError):
    pass


@huey.on_startup()
def load():
    global vectorizer, model
    vectorizer = joblib.load("words.joblib")
    model = joblib.load("mood.joblib")


@huey.task(retries=2, retry_delay=0, context=True)
def mood(text, task=None):
    redis.hset("tries", task.id, 3 - task.retries)
    if not text.strip():
        raise Empty("nothing to read")
    features = vectorizer.transform([text.lower()])
    scores = model.predict_proba(features)[0]
    redis.publish("moods", task.id)
    return {"mood": str(model.classes_[scores.argmax()]), "score": round(float(scores.max()), 6), "left": task.retries}


@huey.task()
def words(text):
    return len(text.split())
