"""loose: a route adds a model by update."""

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
models = {"en": joblib.load("en.joblib")}


class Added(BaseModel):
    language: str


class Text(BaseModel):
    language: str
    words: list[str]


@app.post("/add")
def add(added: Added):
    models.update({added.language: joblib.load(f"{added.language}.joblib")})
    return {"languages": len(models)}


@app.post("/score")
def score(text: Text):
    return {"score": round(float(models[text.language].predict([word.lower() for word in text.words])[0]), 3)}
