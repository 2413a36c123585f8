"""Work of the RQ worker."""

import joblib
import numpy as np

model = joblib.load("level.joblib")


def flooded(row, margin=0.0):
    x = np.array([row], dtype=np.float64)
    p = float(model.predict_proba(x)[0, 1])
    return {"flood": p > 0.5 + margin, "p": round(p, 4)}
