import os
import time

import joblib
import numpy as np
from celery import Celery

celery = Celery("grades", broker=os.environ.get("BROKER_URL", "redis://localhost:6379/0"), backend="redis://localhost:6379/1")
bundle = joblib.load("grades.joblib")


@celery.task(rate_limit="2/m", expires=60, soft_time_limit=20)
def grade(row, top=False):
    x = bundle["scaler"].transform(np.array([row]))
    time.sleep(row[1])
    label = bool(bundle["model"].predict(x)[0]) if np.isfinite(x).all() else None
    return {"label": label, "top": top}


@celery.task
def later(row):
    label = bool(bundle["model"].predict(bundle["scaler"].transform(np.array([row])))[0])
    return {"label": label}
