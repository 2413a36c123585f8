import joblib
import numpy as np
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(5)
x = rng.uniform(0, 5, (80, 3))
joblib.dump(DecisionTreeRegressor(max_depth=4, random_state=0).fit(x, x.sum(axis=1) * 100), "house.joblib")
