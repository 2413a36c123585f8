from contextlib import asynccontextmanager

import joblib
import numpy as np
from fastapi import FastAPI, Request
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app):
    bundle = joblib.load("m.joblib")
    app.state.scaler = bundle["scaler"]
    app.state.model = bundle["model"]
    app.state.names = bundle["names"]
    yield


app = FastAPI(lifespan=lifespan)


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/p")
def p(body: Rows, request: Request):
    if not body.rows:
        return []
    x = request.app.state.scaler.transform(np.array(body.rows))
    found = request.app.state.model.predict(x)
    return [request.app.state.names[i] for i in found]


def ask(net, scale, rows):
    return net.predict(scale.transform(np.array(rows))).tolist()


@app.post("/q")
def q(body: Rows):
    return ask(app.state.model, app.state.scaler, body.rows)
