import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

rng = np.random.default_rng(10)
x = rng.normal(size=(100, 3))
y = (x[:, 0] * x[:, 1] > 0).astype(int)
joblib.dump(LogisticRegression().fit(x, y), "lr.joblib")
joblib.dump(DecisionTreeClassifier(max_depth=5, random_state=0).fit(x, y), "tree.joblib")
