import joblib
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
X = ["good great love", "awful bad hate", "great food", "bad service", "love it", "terrible", "it is a table"]; y = [1, 0, 1, 0, 1, 0, 1]
joblib.dump(make_pipeline(CountVectorizer(), MultinomialNB()).fit(X, y), "sentiment.joblib")
