import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(5)
x = rng.normal(size=(80, 2))
joblib.dump(LogisticRegression().fit(x, (x.sum(axis=1) > 0).astype(int)), "clf.joblib")
