import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

rows = np.random.default_rng(2).uniform(1, 50, size=(40, 2))
joblib.dump(LinearRegression().fit(rows, rows @ [3.0, 0.5] + 7), "price.joblib")
