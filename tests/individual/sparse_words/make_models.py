import pickle

import joblib
import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

TEXTS = ["win a prize now", "free money, click here", "lunch at noon?", "see you at the meeting", "cheap pills", "the report is done"]
words = TfidfVectorizer().fit(TEXTS)
given = hstack([words.transform(TEXTS), csr_matrix([[len(text)] for text in TEXTS])]).tocsr()
spam = MultinomialNB().fit(given, np.array(["spam", "spam", "ham", "ham", "spam", "ham"]))
pickle.dump(words, open("words.pkl", "wb"))
joblib.dump(spam, "spam.joblib")
