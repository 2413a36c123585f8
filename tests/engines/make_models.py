import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

rows = np.random.default_rng(0).normal(size=(80, 3))
kinds = np.where(rows[:, 0] > 0, "warm", "cold")
joblib.dump(LogisticRegression().fit(rows, kinds), "kinds.joblib")
for kind, factor in (("warm", 2.0), ("cold", -1.0)):
    joblib.dump(Ridge().fit(rows, factor * rows.sum(axis=1)), f"{kind}.joblib")
