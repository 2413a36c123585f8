import joblib
import numpy as np


class Scorer:
    def __init__(self, path):
        self.scaler, self.model = joblib.load(path)
        self.seen = 0

    def features(self, payments, amount):
        if amount <= 0:
            raise ValueError(f"not an amount: {amount}")
        amounts = [a for a, _ in payments] or [0.0]
        late = [l for _, l in payments] or [0]
        row = [[np.mean(amounts), np.max(amounts), np.mean(late), len(payments), amount]]
        return self.scaler.transform(np.array(row, dtype=np.float64))

    def risk(self, payments, amount):
        return float(self.model.predict_proba(self.features(payments, amount))[0, 1])

    def learn(self, payments, amount, late):
        self.model.partial_fit(self.features(payments, amount), [int(late)])
        self.seen += 1


scorer = Scorer("credit.joblib")
