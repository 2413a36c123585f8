import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

texts = ["good film", "great story", "loved it", "bad film", "awful plot", "hated it", "good plot", "awful story"]
vectorizer = TfidfVectorizer().fit(texts)
joblib.dump(vectorizer, "vectorizer.pkl")
joblib.dump(LogisticRegression().fit(vectorizer.transform(texts), np.array([1, 1, 1, 0, 0, 0, 1, 0])), "sentiment.pkl")
