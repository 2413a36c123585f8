import pickle

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

texts = ["win cash prize now", "free prize claim", "urgent free cash", "lunch at noon", "see you tomorrow", "meeting notes attached"]
cv = CountVectorizer().fit(texts)
pickle.dump(cv, open("models/vectorizer.pkl", "wb"))
pickle.dump(MultinomialNB().fit(cv.transform(texts), ["spam"] * 3 + ["ham"] * 3), open("models/spam_model.pkl", "wb"))
