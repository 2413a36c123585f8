import logging
import os

import joblib
import pandas as pd

MODEL_PATH = os.environ.get("MODEL_PATH", os.path.join(os.path.dirname(__file__), "..", "..", "artifacts", "churn.joblib"))
COLUMNS = ["tenure", "monthly", "support_calls"]


class ChurnModel:
    """Wraps the pipeline of the data science team."""

    def __init__(self):
        self.model = self._load_model_from_path(MODEL_PATH)

    @staticmethod
    def _load_model_from_path(path):
        logging.info("loading %s", path)
        return joblib.load(path)

    def predict(self, data, return_option="Prob"):
        df = pd.DataFrame([data])
        df = df[COLUMNS]
        if return_option == "Prob":
            predictions = self.model.predict_proba(df)
        else:
            predictions = self.model.predict(df)
        return predictions.tolist()
