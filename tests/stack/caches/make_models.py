"""Writes the small models of the application: run in its folder."""

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(5)
for name in "abcdefghij":
    width = 3 if name == "g" else 2
    x = rng.normal(size=(40, width))
    joblib.dump(LogisticRegression().fit(x, x[:, 0] + x[:, 1] > 0), f"{name}.joblib")
