import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import joblib
from fastapi import Depends, FastAPI
from pydantic import BaseModel

app = FastAPI()


@dataclass(frozen=True)
class Settings:
    engine: str = "shares"
    folder: str = "."


@lru_cache
def get_settings() -> Settings:
    return Settings(engine=os.getenv("ENGINE", "sums"))


class Engine(ABC):
    @abstractmethod
    def score(self, rows: list[list[float]]) -> list[float]: ...


class Shares(Engine):
    def __init__(self, folder: str) -> None:
        self.model = joblib.load(os.path.join(folder, "shares.joblib"))

    def score(self, rows: list[list[float]]) -> list[float]:
        return self.model.predict_proba(rows)[:, 1].round(4).tolist()


class Sums(Engine):
    def __init__(self, folder: str) -> None:
        self.model = joblib.load(os.path.join(folder, "sums.joblib"))

    def score(self, rows: list[list[float]]) -> list[float]:
        return self.model.predict(rows).round(4).tolist()


ENGINES: dict[str, type[Engine]] = {"shares": Shares, "sums": Sums}


@lru_cache
def get_engine() -> Engine:
    settings = get_settings()
    return ENGINES[settings.engine](settings.folder)


class Judge:
    def __init__(self, engine: Annotated[Engine, Depends(get_engine)]) -> None:
        self.engine = engine

    def judge(self, rows: list[list[float]]) -> dict:
        scores = self.engine.score(rows)
        return {"scores": scores, "best": max(range(len(scores)), key=scores.__getitem__)}


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/judge")
def judge(body: Rows, judge: Annotated[Judge, Depends()]):
    return judge.judge(body.rows)
