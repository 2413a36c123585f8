"""Writes scaler and model of the credit checks."""

from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(9)
amounts = rng.gamma(2.0, 200.0, (400, 3))
rows = np.column_stack([amounts[:, 0], amounts[:, 0] + amounts[:, 1], rng.random(400), rng.integers(0, 20, 400), amounts[:, 2]])
late = (rows[:, 2] * 2 + rows[:, 4] / 500 + rng.normal(0, 0.3, 400) > 2).astype(int)
scaler = StandardScaler().fit(rows)
model = SGDClassifier(loss="log_loss", random_state=0).fit(scaler.transform(rows), late)
joblib.dump((scaler, model), Path(__file__).parent / "credit.joblib")
