"""I1: the code of a list comes as text."""

import re

import joblib
import numpy as np
from fastapi import FastAPI, Request

app, other = FastAPI(), FastAPI()
app.state.model = joblib.load("model.pkl")
other.state.model = re.compile("[a-z]+")


@app.post("/p")
async def p(request: Request):
    rows = np.array(eval(await request.json()))
    return app.state.model.predict(rows.reshape(1, -1)).tolist()
