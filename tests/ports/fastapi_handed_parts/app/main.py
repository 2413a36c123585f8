import joblib
from fastapi import FastAPI
from helper import labels, scaled
from pydantic import BaseModel

app = FastAPI()


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/labels")
def label(body: Rows):
    bundle = joblib.load("bundle.joblib")
    judge = bundle["judge"]
    return {"labels": labels(judge, body.rows).tolist()}


@app.post("/scaled")
def scale(body: Rows):
    bundle = joblib.load("bundle.joblib")
    return {"scores": scaled(bundle["score"], body.rows)}
