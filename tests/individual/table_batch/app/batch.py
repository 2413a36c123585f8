"""Scores a table and prints it."""
import sys

import joblib
import pandas as pd

COLUMNS = ["age", "plan", "minutes"]

if __name__ == "__main__":
    model = joblib.load("churn.joblib")
    table = pd.read_csv(sys.argv[1])
    table["minutes"] = table["minutes"].fillna(0)
    table["churn"] = model.predict_proba(table[COLUMNS])[:, 1].round(5)
    table["leaves"] = model.predict(table[COLUMNS])
    table.to_csv(sys.stdout, index=False)
