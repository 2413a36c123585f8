from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

rows = np.random.default_rng(0).normal(size=(30, 2))
joblib.dump(LinearRegression().fit(rows, rows @ (3.0, -1.0)), "prices.joblib")
Path(".env").write_text("UNIT=1000\n")
Path("house.env").write_text("MODEL=prices.joblib\n")
