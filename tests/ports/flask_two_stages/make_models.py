import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

spam = ["win money now", "cheap pills online", "free prize winner", "meeting at noon", "lunch with the team", "project report attached"]
topics = ["meeting at noon", "team lunch today", "report on the project", "invoice for the project", "party on friday", "the match on friday"]
vectorizer = TfidfVectorizer().fit(spam + topics)
joblib.dump(vectorizer, "words.joblib")
joblib.dump(LogisticRegression(C=10).fit(vectorizer.transform(spam), [1, 1, 1, 0, 0, 0]), "spam.joblib")
forest = RandomForestClassifier(20, random_state=0).fit(vectorizer.transform(topics).toarray(), np.repeat(["work", "money", "fun"], 2))
joblib.dump(forest, "topic.joblib")
