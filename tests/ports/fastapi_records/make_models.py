import sys
from pathlib import Path
import joblib, numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
rng = np.random.default_rng(3)
n = 600
df = pd.DataFrame({"age": rng.integers(18, 90, n), "housing": rng.choice(["own", "rent", "other"], n), "income": rng.uniform(800, 9000, n), "loan_amount": rng.uniform(500, 60000, n), "months": rng.integers(3, 120, n)})
df["ratio"] = df.loan_amount / (df.income * df.months)
y = (df.ratio + rng.normal(0, .2, n) < .35).astype(int)
num = ["age", "income", "loan_amount", "months", "ratio"]
pipe = make_pipeline(ColumnTransformer([("n", StandardScaler(), num), ("c", OneHotEncoder(handle_unknown="ignore"), ["housing"])]), GradientBoostingClassifier(random_state=0, n_estimators=30))
pipe.fit(df[["age", "housing", "income", "loan_amount", "months", "ratio"]], y)
(Path("artifacts")).mkdir(exist_ok=True)
joblib.dump(pipe, Path("artifacts/credit.joblib"))
