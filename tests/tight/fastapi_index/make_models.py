"""Writes the encoder: words to eight numbers, as an SVD has them."""

from pathlib import Path

import joblib
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

TEXTS = [
    "the cat sleeps on the warm sofa", "a dog runs in the green park", "the kitten plays with wool", "dogs and cats are pets",
    "the train leaves the station at noon", "a bus stops near the station", "cars wait in the street", "trains are faster than buses",
    "bread and butter for breakfast", "soup with fresh bread", "coffee and cake at noon", "a warm soup for a cold day",
]  # fmt: skip
vectorizer = TfidfVectorizer().fit(TEXTS)
counts = vectorizer.transform(TEXTS)
encoder = Ridge(alpha=0.01).fit(counts, TruncatedSVD(8, random_state=0).fit_transform(counts))
joblib.dump({"vectorizer": vectorizer, "encoder": encoder}, Path(__file__).parent / "notes.joblib")
