import os
import queue
import threading
import uuid

import joblib

MODEL = os.path.join(os.path.dirname(__file__), "data", "spam.joblib")

jobs = queue.Queue(maxsize=100)
results = {}


class Worker(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.pipeline = joblib.load(MODEL)

    def run(self):
        while True:
            job_id, message = jobs.get()
            try:
                results[job_id] = {"state": "done", **self.classify(message)}
            except Exception as error:
                results[job_id] = {"state": "failed", "error": str(error)}
            finally:
                jobs.task_done()

    def classify(self, message):
        text = " ".join(message["subject"].split() + message["body"].split())
        label = self.pipeline.predict([text])[0]
        score = self.pipeline.predict_proba([text])[0].max()
        return {"label": str(label), "score": round(float(score), 4), "words": len(text.split())}


def submit(message):
    job_id = str(uuid.uuid4())
    results[job_id] = {"state": "queued"}
    jobs.put((job_id, message), timeout=1)
    return job_id
