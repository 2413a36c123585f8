"""Risks are worked out by a worker of Dramatiq; what it found waits in Redis to be fetched."""

import os

import dramatiq
import joblib
import numpy as np
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from redis import Redis

URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
broker = RedisBroker(url=URL)
backend = RedisBackend(url=URL)
broker.add_middleware(Results(backend=backend))
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)

redis = Redis.from_url(URL)
model = joblib.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "risk.joblib"))


class Unfit(ValueError):
    """A row that no try will make fit."""


@dramatiq.actor(store_results=True, max_retries=2, min_backoff=50, max_backoff=100, time_limit=60_000)
def risk(row, threshold=0.5):
    message = CurrentMessage.get_current_message()
    tries = redis.incr(f"tries:{message.message_id}")
    x = np.array([row], dtype=np.float64)
    if not np.isfinite(x).all():
        raise Unfit("not a number in the row")
    p = float(model.predict_proba(x)[0, 1])
    return {"risk": round(p, 6), "high": p > threshold, "tries": tries}


@dramatiq.actor(store_results=True, throws=(Unfit,), max_retries=0)
def strict(row):
    x = np.array([row], dtype=np.float64)
    if x.min() < 0:
        raise Unfit(f"{x.min()} is below 0")
    return {"label": int(model.predict(x)[0])}


@dramatiq.actor(store_results=True, max_retries=0)
def total(rows):
    found = model.predict_proba(np.array(rows, dtype=np.float64))[:, 1]
    return round(float(found.sum()), 6)


@dramatiq.actor(store_results=True, max_retries=0)
def rounded(value):
    return round(value, 2)
