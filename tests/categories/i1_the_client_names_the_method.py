"""I1: the client names the method."""

import pickle

import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Rows(BaseModel):
    width: list[float]
    length: list[float]


class Engine:
    def __init__(self):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)

    def frame(self, rows):
        columns = {}
        for name, value in rows.model_dump().items():
            value = [value] if not isinstance(value, list) else value
            columns[name] = value
        return pd.DataFrame(columns)

    def run(self, method, frame):
        return pd.DataFrame(getattr(self.model, method)(frame))


engine = Engine()


@app.post("/q/{method}")
def q(method: str, rows: Rows):
    return engine.run(method, engine.frame(rows))


@app.post("/p/{method}")
def p(method: str, rows: Rows):
    return engine.run(method, engine.frame(rows))
