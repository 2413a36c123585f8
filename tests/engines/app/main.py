import os

from engines.base import Engine
from engines.plain import PlainEngine
from engines.staged import StagedEngine
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel


class Factory:
    @staticmethod
    def create() -> Engine:
        kind = os.getenv("ENGINE", "staged")
        if kind == "plain":
            return PlainEngine()
        elif kind == "staged":
            return StagedEngine()
        raise ValueError(f"no engine {kind}")


app = FastAPI()
engine = Factory.create()
engine.load()


class Asked(BaseModel):
    rows: list[list[float]]
    total: bool = False


@app.post("/report")
def report(asked: Asked, layout: str | None = None):
    result = engine.report(asked.rows, {"total": asked.total}, layout)
    return StreamingResponse(result, media_type="text/plain")
