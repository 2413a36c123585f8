import joblib
import numpy as np
from sklearn.naive_bayes import GaussianNB

rng = np.random.default_rng(6)
x = np.concatenate([rng.normal(0, 1, (40, 2)), rng.normal(4, 1, (40, 2))])
joblib.dump(GaussianNB().fit(x, [0] * 40 + [1] * 40), "artifacts/fraud.joblib")
