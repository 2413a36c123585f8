"""Versions of a model by a field of the body, by a query parameter and by the path; probes ask for what start-up loaded."""
from contextlib import asynccontextmanager
from typing import Literal

import joblib
import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

VERSIONS = {
    "v1": joblib.load("model_v1.joblib"),
    "v2": joblib.load("model_v2.joblib"),
}
DEFAULT = "v2"
extra = {}


@asynccontextmanager
async def lifespan(app: FastAPI):
    extra["canary"] = joblib.load("model_v1.joblib")
    yield
    extra.clear()


app = FastAPI(lifespan=lifespan)


class Customer(BaseModel):
    age: float
    balance: float
    version: Literal["v1", "v2"] = DEFAULT


def features(customer: Customer) -> np.ndarray:
    return np.array([[customer.age / 100, np.log1p(customer.balance)]])


@app.get("/health")
async def health():
    return {"status": "healthy" if "canary" in extra else "starting"}


@app.get("/ready")
async def ready():
    if "canary" not in extra:
        return JSONResponse({"ready": False}, status_code=503)
    return {"ready": True}


@app.post("/predict")
def predict(customer: Customer):
    model = VERSIONS[customer.version]
    probability = float(model.predict_proba(features(customer))[0, 1])
    return {"version": customer.version, "probability": round(probability, 4)}


@app.post("/label")
def label(customer: Customer, version: str = "v1"):
    model = VERSIONS[version]
    return {"version": version, "label": bool(model.predict(features(customer))[0])}


@app.post("/canary")
def canary(customer: Customer):
    probability = float(extra["canary"].predict_proba(features(customer))[0, 1])
    return {"probability": round(probability, 4)}
