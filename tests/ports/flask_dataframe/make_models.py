import pickle

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(4)
n = 150
frame = pd.DataFrame(
    {
        "age": rng.integers(18, 80, n),
        "tenure": rng.integers(0, 60, n),
        "contract": rng.choice(["monthly", "yearly"], n),
        "charges": rng.uniform(10, 120, n),
    }
)
steps = ColumnTransformer(
    [("num", StandardScaler(), ["age", "tenure", "charges"]), ("cat", OneHotEncoder(handle_unknown="ignore"), ["contract"])]
)
churn = ((frame["contract"] == "monthly") & (frame["charges"] > 50)).map({True: "Yes", False: "No"})
with open("model/churn.pkl", "wb") as file:
    pickle.dump(Pipeline([("prep", steps), ("clf", LogisticRegression())]).fit(frame, churn), file)
