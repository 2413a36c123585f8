import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
BROKER = os.getenv("BROKER_URL", "redis://localhost:6379/0")
BACKEND = os.getenv("RESULT_BACKEND", "redis://localhost:6379/1")
VECTORIZER = BASE_DIR / "artifacts" / "vectorizer.joblib"
CLASSIFIER = BASE_DIR / "artifacts" / "classifier.joblib"
MAX_BATCH = 20
FRAUD_THRESHOLD = float(os.getenv("FRAUD_THRESHOLD", "0.6"))
