import joblib
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

text = "the cat sat on the mat and the dog sat on the log while the cat saw the dog and the dog saw the cat on the mat".split()
pairs = [" ".join(text[i : i + 2]) for i in range(len(text) - 2)]
vectorizer = CountVectorizer(ngram_range=(1, 2)).fit(pairs)
joblib.dump(vectorizer, "vectorizer.joblib")
joblib.dump(LogisticRegression(C=20).fit(vectorizer.transform(pairs), text[2:]), "next_word.joblib")
