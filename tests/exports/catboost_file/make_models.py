import numpy as np
from catboost import CatBoostClassifier

rng = np.random.default_rng(5)
rows = rng.uniform([10, 0], [90, 40], size=(300, 2)).astype(np.float32)
model = CatBoostClassifier(iterations=15, depth=3, verbose=False, allow_writing_files=False)
model.fit(rows, (rows[:, 0] - 2 * rows[:, 1] > 10).astype(int)).save_model("loan.cbm")
