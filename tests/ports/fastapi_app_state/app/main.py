import logging

import joblib
import pandas as pd
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

logger = logging.getLogger("uvicorn.error")
app = FastAPI()


class Flower(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


@app.on_event("startup")
def load_model():
    app.state.model = joblib.load("model.joblib")
    logger.info("model loaded")


@app.on_event("shutdown")
def unload():
    app.state.model = None


@app.get("/status")
def status():
    return {"ready": True}


@app.post("/flower")
def classify(flower: Flower, request: Request):
    df = pd.DataFrame([flower.model_dump()])
    proba = request.app.state.model.predict_proba(df.values)
    logger.info("classified %s", flower)
    return JSONResponse({"class": int(proba.argmax(axis=1)[0]), "proba": proba[0].tolist()})


@app.post("/flower/from-state")
def classify_state(flower: Flower):
    row = [[flower.sepal_length, flower.sepal_width, flower.petal_length, flower.petal_width]]
    return {"class": int(app.state.model.predict(row)[0])}
