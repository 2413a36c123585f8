from pathlib import Path
import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
texts = ["win money now", "cheap pills", "free prize claim", "lottery winner", "meeting at noon", "project report", "lunch tomorrow", "see the notes"] * 3
y = ["spam"] * 4 + ["ham"] * 4
out = Path(".").resolve() / "spam/data"; out.mkdir(exist_ok=True)
joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, y * 3), out / "spam.joblib")
