"""The same behind FastAPI."""

from functools import lru_cache

import joblib
import numpy as np
from fastapi import FastAPI
from fastapi_cache import FastAPICache
from fastapi_cache.backends.inmemory import InMemoryBackend
from fastapi_cache.decorator import cache

app = FastAPI()
model = joblib.load("i.joblib")


@lru_cache
def get_model():
    return joblib.load("j.joblib")


@app.on_event("startup")
async def startup():
    FastAPICache.init(InMemoryBackend())


@app.get("/score")
@cache(expire=60)
async def score(a: float, b: float):
    return {"p": float(model.predict_proba(np.array([[a, b]]))[0, 1])}


@app.get("/other")
async def other(a: float, b: float):
    return {"p": float(get_model().predict_proba(np.array([[a, b]]))[0, 1])}
