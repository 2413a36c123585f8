import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

x = np.random.default_rng(0).normal(size=(100, 2)) + [0.4, 7]
for name, axis in (("v1", 0), ("v2", 1)):
    joblib.dump(LogisticRegression().fit(x, x[:, axis] > np.median(x[:, axis])), f"model_{name}.joblib")
