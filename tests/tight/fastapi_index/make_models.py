"""Writes the vectorizer: which words there are, and how much each says."""

from pathlib import Path

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer

TEXTS = [
    "the cat sleeps on the warm sofa", "a dog runs in the green park", "the kitten plays with wool", "dogs and cats are pets",
    "the train leaves the station at noon", "a bus stops near the station", "cars wait in the street", "trains are faster than buses",
    "bread and butter for breakfast", "soup with fresh bread", "coffee and cake at noon", "a warm soup for a cold day",
]  # fmt: skip
joblib.dump(TfidfVectorizer().fit(TEXTS), Path(__file__).parent / "notes.joblib")
