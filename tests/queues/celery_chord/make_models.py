from pathlib import Path

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

out = Path("artifacts")
out.mkdir(parents=True, exist_ok=True)
texts = [
    "car stolen at night no witness 9000 eur",
    "total loss cash urgent 12000 usd",
    "small scratch on door 200 eur",
    "windscreen chip 150 eur",
    "phone lost again urgent cash 900 usd",
    "water damage kitchen 1200 eur",
    "bike stolen no lock 700 eur",
    "dentist bill 80 eur",
]
y = [1, 1, 0, 0, 1, 0, 1, 0]
v = TfidfVectorizer().fit(texts)
X = np.hstack([v.transform(texts).toarray(), np.log1p([[9000], [12000], [200], [150], [900], [1200], [700], [80]])])
joblib.dump(v, out / "vectorizer.joblib")
joblib.dump(LogisticRegression(C=5.0).fit(X, y), out / "classifier.joblib")
