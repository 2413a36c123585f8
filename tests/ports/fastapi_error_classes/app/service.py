import joblib
import numpy as np

from errors import BadReading, ServiceError

FIELDS = ("heat", "flow")


class Watch:
    def __init__(self):
        self.scaler, self.forest = joblib.load("forest.joblib")

    def judge(self, readings):
        rows = self.scaler.transform(np.array([[float(readings[name]) for name in FIELDS]]))
        for name, value in zip(FIELDS, rows[0]):
            if abs(value) > 2:
                raise BadReading(name, round(float(value), 3))
        proba = self.forest.predict_proba(rows)[0]
        if proba.max() < 0.55:
            raise ServiceError("undecided")
        return {"fails": bool(proba[1] > 0.5), "proba": round(float(proba[1]), 4)}
