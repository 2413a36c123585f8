from pathlib import Path
import joblib, numpy as np, pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
X = pd.DataFrame({"tenure": rng.integers(1, 72, 300), "monthly": rng.uniform(10, 120, 300), "support_calls": rng.integers(0, 9, 300)}).astype(float)
y = (X.support_calls * 10 + X.monthly - X.tenure > 50).astype(int)
out = Path(".").resolve() / "artifacts"; out.mkdir(exist_ok=True)
joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), out / "churn.joblib")
