import logging
import os
from contextlib import asynccontextmanager

import joblib
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

logger = logging.getLogger(__name__)
model = None
scaler = None
labels = None


@asynccontextmanager
async def lifespan(app):
    global model, scaler, labels
    scaler = joblib.load("scaler.joblib")
    try:
        model = joblib.load("model.joblib")
        logger.info("model loaded")
    except Exception as e:
        logger.error(f"no model: {e}")
    try:
        from fetching import fetch_labels

        fetched = fetch_labels()
        if fetched:
            logger.info(f"fetched {len(fetched)} file(s)")
    except Exception as e:
        logger.error(f"no labels fetched: {e}")
    try:
        from naming import Labels as Names

        path = os.getenv("LABELS", "fetched.joblib")
        labels = Names(path)
    except Exception as e:
        logger.error(f"no labels: {e}")
    yield


app = FastAPI(lifespan=lifespan)


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/predict")
def predict(body: Rows):
    if not body.rows:
        raise HTTPException(status_code=400, detail="no rows")
    found = model.predict(scaler.transform(body.rows))
    return {"labels": labels.of(found)}


@app.post("/named")
def named(body: Rows):
    from naming import tidy

    found = model.predict(scaler.transform(body.rows))
    return {"label": tidy(labels.of(found)[0])}
