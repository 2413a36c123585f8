from typing import Optional

from fastapi import FastAPI, Query
from pydantic import BaseModel
from scorer import Scorer

app = FastAPI()
scorer = Scorer()


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/score")
def score(body: Rows, unit: Optional[str] = Query(default=None), digits: Optional[int] = Query(default=None)):
    return scorer.score(body.rows, unit, digits)
