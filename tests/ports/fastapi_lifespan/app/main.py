from contextlib import asynccontextmanager
from typing import Any

import joblib
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

ml_models: dict[str, Any] = {}


@asynccontextmanager
async def lifespan(app: FastAPI):
    # Load the ML model
    ml_models["iris"] = joblib.load("models/iris.joblib")
    yield
    # Clean up the ML models and release the resources
    ml_models.clear()


app = FastAPI(lifespan=lifespan)


class Sample(BaseModel):
    values: list[float]


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/predict")
async def predict(sample: Sample):
    if len(sample.values) != 4:
        raise HTTPException(status_code=422, detail="4 values expected")
    result = ml_models["iris"].predict([sample.values])
    return {"result": int(result[0])}
