from __future__ import annotations

import abc

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)


class Scorer(abc.ABC):
    @abc.abstractmethod
    def scores(self, rows: np.ndarray) -> np.ndarray:
        """One per row."""

    @property
    @abc.abstractmethod
    def name(self) -> str: ...

    def worst(self, rows: np.ndarray) -> int:
        return int(self.scores(rows).argmax())


class Forest(Scorer):
    name = "forest"

    def __init__(self, path: str) -> None:
        self._model, self._lean = joblib.load(path)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        shares = self._model.predict_proba(self._lean.transform(rows))
        return np.log1p(shares[:, 1]) - np.log1p(shares[:, 0])


forest: Scorer = Forest("forest.joblib")


@app.post("/scores")
def scores():
    rows = np.array(request.get_json()["rows"], dtype=float).reshape(-1, 2)
    if not len(rows):
        return jsonify(error="no rows"), 400
    return jsonify(name=forest.name, scores=forest.scores(rows).round(4).tolist())


@app.post("/worst")
def worst():
    rows = np.array(request.get_json()["rows"], dtype=float).reshape(-1, 2)
    return jsonify(worst=forest.worst(rows))
