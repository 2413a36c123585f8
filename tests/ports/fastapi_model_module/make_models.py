import pickle

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder

words = {"en": ["the cat is here", "where is it", "good day to you"], "de": ["die katze ist hier", "wo ist es", "guten tag"]}
encoder = LabelEncoder().fit(list(words))
steps = [("vec", CountVectorizer(analyzer="char", ngram_range=(1, 2))), ("clf", LogisticRegression())]
texts, y = [t for ts in words.values() for t in ts], encoder.transform([k for k, ts in words.items() for _ in ts])
with open("app/model/trained_pipeline-0.1.0.pkl", "wb") as file:
    pickle.dump(Pipeline(steps).fit(texts, y), file)
