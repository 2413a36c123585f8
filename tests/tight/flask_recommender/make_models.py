"""Writes the ranker: which item comes after a profile of earlier ones."""

from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(5)
profiles = rng.random((300, 6)) * (rng.random((300, 6)) < 0.5)
following = (profiles @ rng.random((6, 6)) + rng.normal(0, 0.1, (300, 6))).argmax(axis=1)
following[:6] = range(6)
joblib.dump(LogisticRegression(max_iter=500).fit(profiles, following), Path(__file__).parent / "ranker.joblib")
