import joblib

from core.config import settings


class TopicClassifier:
    def __init__(self, path: str):
        self.pipeline = joblib.load(path)

    def classify(self, text: str) -> tuple[str, float]:
        proba = self.pipeline.predict_proba([text.strip()])[0]
        best = proba.argmax()
        return str(self.pipeline.classes_[best]), float(proba[best])


classifier = TopicClassifier(settings.model_path)
