import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

rows = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [-1.0, 0.5]])
joblib.dump(LogisticRegression().fit(rows, [0, 1, 1, 0]), "risk.joblib")
