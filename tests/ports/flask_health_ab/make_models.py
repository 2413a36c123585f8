import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

x = np.random.default_rng(0).normal(size=(100, 2)) + [0.4, 7]
for name, axis in (("a", 0), ("b", 1)):
    joblib.dump(LogisticRegression().fit(x, x[:, axis] > np.median(x[:, axis])), f"model_{name}.joblib")
