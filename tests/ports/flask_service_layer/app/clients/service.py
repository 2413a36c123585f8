import joblib
import pandas as pd
import torch

COLUMNS = ["months", "tickets", "fee"]


class ServiceError(Exception):
    status = 500
    code = "internal"


class Invalid(ServiceError):
    status = 422
    code = "invalid"


class LeavingScorer:
    def __init__(self):
        self.pipeline = None
        self.worth = None
        self.threshold = 0.5

    def init_app(self, app):
        self.pipeline = joblib.load(app.config["LEAVING_MODEL"])
        self.worth = torch.nn.Linear(3, 2)
        self.worth.load_state_dict(torch.load(app.config["WORTH_MODEL"]))
        self.worth.eval()
        self.threshold = app.config["THRESHOLD"]

    def score(self, records):
        if not records:
            return []
        table = pd.DataFrame.from_records(records, columns=COLUMNS)
        try:
            chances = self.pipeline.predict_proba(table)[:, 1]
        except ValueError as error:
            raise Invalid("not all values are numbers") from error
        return [{"chance": round(float(c), 4), "leaves": bool(c >= self.threshold)} for c in chances]

    def value(self, record):
        row = torch.tensor([[float(record[c]) for c in COLUMNS]])
        with torch.no_grad():
            return round(self.worth(row).max().item(), 4)
