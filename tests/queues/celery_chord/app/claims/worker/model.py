import logging
import re

import joblib
import numpy as np
from celery.signals import worker_process_init

from claims import settings
from claims.errors import EmptyClaim

log = logging.getLogger(__name__)
AMOUNT = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:eur|usd|\$|€)", re.I)


class FraudModel:
    def __init__(self):
        self.vectorizer = None
        self.classifier = None

    def load(self):
        log.info("loading the fraud model")
        self.vectorizer = joblib.load(settings.VECTORIZER)
        self.classifier = joblib.load(settings.CLASSIFIER)

    @property
    def ready(self):
        return self.classifier is not None

    def clean(self, claim_id, text):
        text = re.sub(r"\s+", " ", text or "").strip().lower()
        if not text:
            raise EmptyClaim(claim_id)
        return text

    def score(self, claim_id, text):
        text = self.clean(claim_id, text)
        features = self.vectorizer.transform([text]).toarray()
        amounts = [float(a.replace(",", ".")) for a in AMOUNT.findall(text)]
        features = np.hstack([features, [[np.log1p(max(amounts, default=0.0))]]])
        probability = float(self.classifier.predict_proba(features)[0, 1])
        return {
            "claim": claim_id,
            "probability": round(probability, 4),
            "fraud": probability >= settings.FRAUD_THRESHOLD,
            "amount": max(amounts) if amounts else None,
        }


fraud_model = FraudModel()


@worker_process_init.connect
def load_model(**_):
    fraud_model.load()
