import sys

import joblib
import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

sys.path.insert(0, ".")
DOCUMENTS = ["how to train a dog", "feeding your cat", "birds in winter", "fox holes and dens", "dog food compared", "cat toys", "owl calls at night"]
embedder = make_pipeline(TfidfVectorizer(), TruncatedSVD(5, random_state=0)).fit(DOCUMENTS)
matrix = embedder.transform(DOCUMENTS)
pairs = np.hstack([np.repeat(matrix, 7, axis=0), np.tile(matrix, (7, 1))])
joblib.dump(embedder, "embedder.joblib")
joblib.dump(LogisticRegression().fit(pairs, np.eye(7, dtype=int).ravel()), "reranker.joblib")
np.save("documents.npy", matrix)
