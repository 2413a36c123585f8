"""Mail is judged by tasks; other tasks tell the filter what was spam after all, and it learns."""

import os

import joblib
from celery import Celery

broker = os.environ.get("BROKER", "memory://")
app = Celery("spam", broker=broker, backend=os.environ.get("BACKEND", "cache+memory://"))
app.conf.broker_transport_options = {"data_folder_in": os.environ.get("QUEUE", "."), "data_folder_out": os.environ.get("QUEUE", ".")}


class SpamFilter:
    def __init__(self, path):
        self.vectorizer, self.model = joblib.load(path)
        self.learned = 0

    def judge(self, text: str) -> float:
        return float(self.model.predict_proba(self.vectorizer.transform([text]))[0, 1])

    def learn(self, text, spam):
        for _ in range(5):
            self.model.partial_fit(self.vectorizer.transform([text]), [int(spam)])
        self.learned += 1


spam_filter = SpamFilter("spam.joblib")


@app.task
def judge(text: str):
    if not text:
        raise ValueError("no text")
    return {"spam": round(spam_filter.judge(text), 6), "pid": os.getpid()}


@app.task
def report(text: str, spam: bool):
    spam_filter.learn(text, spam)
    return spam_filter.learned
