from pathlib import Path
import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
root = Path(__file__).parent
X = ["hello there", "hi good morning", "where is my order", "my order did not arrive", "i want my money back", "refund please", "bye", "thanks goodbye"]
y = ["greeting", "greeting", "order", "order", "refund", "refund", "goodbye", "goodbye"]
joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(X, y), root / "intent.joblib")
