"""Entries that run one model through one function of the application: it is served once, and the routes stay as they are."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from triton_migrate import api

SERVICE = """\
from dataclasses import dataclass

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load("model.joblib")
scaler = joblib.load("scaler.joblib")


class Body(BaseModel):
    rows: list[list[float]]
    ranks: bool = False
    few: int | None = None


"""


def ported(code: str, folder: Path) -> tuple[str, dict[str, str]]:
    """The application's file as it would be, and the configuration of each model."""
    (folder / "app").mkdir()
    (folder / "app" / "main.py").write_text(SERVICE + dedent(code))
    report = api.apply(folder / "app", out=folder / "out", write=True)
    assert report["not_ported"] == []
    repository = folder / "app" / "triton_serving" / "model_repository"
    return (folder / "app" / "main.py").read_text(), {f.parent.name: f.read_text() for f in sorted(repository.glob("*/config.pbtxt"))}


def test_three_routes_that_call_one_function_are_one_model(tmp_path: Path) -> None:
    code = """\
    def scores(rows, ranks=False, few=None):
        # rows as they come
        features = scaler.transform(np.array(rows)[:few])
        found = model.decision_function(features)
        if ranks:
            found = np.argsort(found)
        return found


    @app.post("/scores")
    def give(body: Body):
        return {"scores": scores(body.rows, ranks=body.ranks, few=body.few).tolist()}


    @app.post("/best")
    def best(body: Body):
        return {"best": int(scores(body.rows).argmax())}


    @app.post("/worst")
    def worst(body: Body):
        return {"worst": int(scores(body.rows).argmin())}
    """
    port, configs = ported(code, tmp_path)
    assert list(configs) == ["scores"]
    assert port.count("triton.infer(") == 1
    assert 'return {"best": int(scores(body.rows).argmax())}' in port
    assert 'name: "FEW" data_type: TYPE_STRING' in configs["scores"], "what is None for one of the routes is no INT64 for the others"


def test_a_route_that_awaits_goes_on_awaiting(tmp_path: Path) -> None:
    code = """\
    def scores(rows, ranks=False):
        features = scaler.transform(np.array(rows))
        found = model.decision_function(features)
        return np.argsort(found) if ranks else found


    @app.post("/scores")
    async def give(body: Body):
        return {"scores": scores(body.rows, ranks=body.ranks).tolist()}


    @app.post("/best")
    async def best(body: Body):
        return {"best": int(scores(body.rows).argmax())}
    """
    port, configs = ported(code, tmp_path)
    assert "await triton.infer_async(" in port or len(configs) == 1
