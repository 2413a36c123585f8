"""Background scoring: cleaning, scoring and rating are tasks of their own."""

import os

import joblib
import numpy as np
from celery import Celery

queue = Celery("scores", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
model = joblib.load("scorer.joblib")
RATINGS = ["poor", "fair", "good"]


@queue.task
def clean(record):
    values = [float(record[name]) for name in ("income", "debt", "age")]
    return np.log1p(np.array([values])).tolist()


@queue.task
def score(rows):
    return model.predict_proba(rows).tolist()


@queue.task(name="pipeline.rate")
def rate(probabilities, digits=3):
    best = int(np.argmax(probabilities[0]))
    return {"rating": RATINGS[best], "p": round(probabilities[0][best], digits)}
