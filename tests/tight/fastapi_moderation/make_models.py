"""Writes the model as it is before the first decision."""

from pathlib import Path

import joblib
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

BAD = ["you are a fool", "what a stupid idea", "shut up you fool", "stupid and ugly", "nobody likes you"]
GOOD = ["thank you for this", "what a good idea", "I like the second part", "well written and clear", "nice to read"]
vectorizer = HashingVectorizer(n_features=2**10, alternate_sign=False)
model = SGDClassifier(loss="log_loss", random_state=0)
for _ in range(20):
    model.partial_fit(vectorizer.transform(BAD + GOOD), [1] * len(BAD) + [0] * len(GOOD), classes=[0, 1])
joblib.dump({"vectorizer": vectorizer, "model": model}, Path(__file__).parent / "moderation.joblib")
