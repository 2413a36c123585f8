import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

texts = ["a fine day", "good news", "what a joy", "a sad day", "bad news", "what a loss"]
words = TfidfVectorizer().fit(texts)
joblib.dump(words, "words.joblib")
joblib.dump(LogisticRegression().fit(words.transform(texts), ["glad"] * 3 + ["low"] * 3), "mood.joblib")
