import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(1)
rows = rng.normal([12, 3, 6], [1, 0.4, 2], size=(200, 3))
labels = np.array(["red", "rose", "white"])[np.digitize(rows[:, 0] - rows[:, 2] / 3, [9.5, 10.5])]
joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels), "wine.joblib")
