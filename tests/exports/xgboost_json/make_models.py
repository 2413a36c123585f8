import numpy as np
import xgboost as xgb

rng = np.random.default_rng(3)
rows = rng.uniform([1, 0, 10], [60, 20, 200], size=(300, 3)).astype(np.float32)
labels = (rows[:, 1] * 5 + rows[:, 2] / 4 - rows[:, 0] > 30).astype(int)
xgb.XGBClassifier(n_estimators=12, max_depth=3).fit(rows, labels).save_model("churn.json")
