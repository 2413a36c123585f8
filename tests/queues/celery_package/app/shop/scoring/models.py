"""The generations of the scoring model; the current one is a setting."""

import os

import joblib
import numpy as np

VERSIONS = {"v1": "basket_v1.joblib", "v2": "basket_v2.joblib"}
CURRENT = os.environ.get("BASKET_VERSION", "v2")


class Baskets:
    def __init__(self, path):
        held = joblib.load(path)
        self.scaler, self.model, self.labels = held["scaler"], held["model"], held["labels"]

    def score(self, rows):
        x = self.scaler.transform(np.asarray(rows, dtype=np.float64))
        found = self.model.predict_proba(x)
        return [(self.labels[int(row.argmax())], round(float(row.max()), 6)) for row in found]
