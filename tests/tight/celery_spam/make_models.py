"""Writes the filter as it is before the first report."""

from pathlib import Path

import joblib
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

SPAM = ["win money now", "cheap watches for you", "you have won a prize", "money for nothing"]
MAIL = ["lunch at noon", "the minutes of the meeting", "your parcel is here", "see you on monday"]
vectorizer = HashingVectorizer(n_features=2**10, alternate_sign=False)
model = SGDClassifier(loss="log_loss", random_state=0)
for _ in range(20):
    model.partial_fit(vectorizer.transform(SPAM + MAIL), [1] * 4 + [0] * 4, classes=[0, 1])
joblib.dump((vectorizer, model), Path(__file__).parent / "spam.joblib")
