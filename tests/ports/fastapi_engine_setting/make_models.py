import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

rows = np.random.default_rng(0).normal(size=(60, 2))
joblib.dump(LogisticRegression().fit(rows, rows.sum(axis=1) > 0), "shares.joblib")
joblib.dump(Ridge().fit(rows, rows.sum(axis=1)), "sums.joblib")
