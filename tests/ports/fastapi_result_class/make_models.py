import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

texts = ["the cat sat on the mat", "a dog on the river", "bank of the river", "money in the bank", "the dog and the cat", "a loan of money"]
words = TfidfVectorizer().fit(texts)
joblib.dump((words, LogisticRegression().fit(words.transform(texts), [0, 1, 1, 2, 0, 2])), "vectors.joblib")
