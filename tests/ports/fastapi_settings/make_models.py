import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

texts = ["server is down", "cannot log in", "invoice is wrong", "refund please", "app crashes", "charged twice", "login error", "billing question"]
topics = ["tech", "tech", "billing", "billing", "tech", "billing", "tech", "billing"]
joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, topics), "data/topics.joblib")
