import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load("wine.joblib")


class Wine(BaseModel):
    alcohol: float
    acid: float
    sugar: float


@app.post("/wine")
def wine(body: Wine):
    rows = np.array([[body.alcohol, body.acid, body.sugar]], dtype=np.float64)
    scores = model.predict_proba(rows)[0]
    return {"scores": [round(float(score), 6) for score in scores]}


@app.post("/wine/label")
def label(body: Wine):
    rows = np.array([[body.alcohol, body.acid, body.sugar]], dtype=np.float64)
    return {"label": str(model.predict(rows)[0])}
