import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(3)
table = pd.DataFrame({"months": rng.integers(1, 60, 80), "tickets": rng.integers(0, 9, 80), "fee": rng.uniform(5, 90, 80)})
left = table["tickets"] * 3 - table["months"] * 0.2 > 4
joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(table, left), "clients/leaving.joblib")
torch.manual_seed(5)
torch.save(torch.nn.Linear(3, 2).state_dict(), "clients/worth.pth")
