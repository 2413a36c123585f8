import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

rng = np.random.default_rng(0)
table = pd.DataFrame({
    "age": rng.integers(18, 80, 100), "plan": rng.choice(["basic", "silver", "gold"], 100), "minutes": rng.uniform(0, 300, 100),
})
leaves = np.where(table["age"] + table["minutes"] > 200, "yes", "no")
columns = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
joblib.dump(make_pipeline(columns, LogisticRegression(max_iter=900)).fit(table, leaves), "churn.joblib")
