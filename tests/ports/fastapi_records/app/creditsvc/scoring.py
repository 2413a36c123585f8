"""Feature engineering and the model wrapper."""
import logging
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

log = logging.getLogger("creditsvc")
COLUMNS = ["age", "housing", "income", "loan_amount", "months", "ratio"]


@dataclass
class Scored:
    probability: float
    ratio: float
    band: str


class CreditModel:
    version = "2024.1"

    def __init__(self, path: Path, threshold: float = 0.5):
        self.pipeline = joblib.load(path)
        self.threshold = threshold

    def frame(self, rows) -> pd.DataFrame:
        df = pd.DataFrame(rows)
        df["ratio"] = df["loan_amount"] / (df["income"] * df["months"])
        return df[COLUMNS]

    def score(self, rows) -> list:
        df = self.frame(rows)
        proba = self.pipeline.predict_proba(df)[:, 1]
        log.info("scored %d rows", len(df))
        out = []
        for p, r in zip(proba, df["ratio"]):
            out.append(Scored(probability=float(p), ratio=float(r), band=self.band(p)))
        return out

    @staticmethod
    def band(p) -> str:
        return "ABCDE"[int(np.clip((1 - p) * 5, 0, 4))]
