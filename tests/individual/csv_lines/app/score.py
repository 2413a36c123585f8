"""Scores the lines of a CSV as they come in."""
import csv
import json
import sys

import joblib
import numpy as np

model = joblib.load("flowers.joblib")
NAMES = ["setosa", "versicolor", "virginica"]


def main():
    for number, line in enumerate(csv.reader(sys.stdin)):
        try:
            row = np.array([[float(cell) for cell in line]])
            kind = int(model.predict(row)[0])
        except ValueError as error:
            print(json.dumps({"line": number, "error": str(error)}))
            continue
        chances = model.predict_proba(row)[0]
        print(json.dumps({"line": number, "kind": NAMES[kind], "chance": round(float(chances.max()), 4)}))


if __name__ == "__main__":
    main()
