"""Writes the small model of the application: run in its folder."""

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(3)
x = rng.normal(size=(60, 2))
joblib.dump(LogisticRegression().fit(x, x[:, 0] - x[:, 1] > 0), "level.joblib")
