import importlib
import logging

from celery import Task, chain, group

from .worker import app
from .ml.model import ChurnModel


class PredictTask(Task):
    def __init__(self):
        super().__init__()
        self.model = None

    def __call__(self, *args, **kwargs):
        """Load model on first call (i.e. first task processed). Avoids the need to load model on each task request."""
        if not self.model:
            logging.info("Loading Model...")
            self.model = ChurnModel()
            logging.info("Model loaded")
        return self.run(*args, **kwargs)

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        logging.error("%s failed: %s", task_id, exc)


@app.task(ignore_result=False, bind=True, base=PredictTask, max_retries=2, rate_limit="100/s", time_limit=60, soft_time_limit=50)
def predict_churn_single(self, data):
    """Essentially the run method of PredictTask"""
    try:
        pred_array = self.model.predict(data)
        positive_prob = pred_array[0][-1]
        return {"churn": round(positive_prob, 4), "will_churn": positive_prob > 0.5}
    except ConnectionError as exc:
        raise self.retry(exc=exc, countdown=1)


@app.task
def normalise(row):
    return {k.lower(): float(v) for k, v in row.items()}


@app.task
def summarise(results):
    return {"n": len(results), "worst": max(r["churn"] for r in results)}


def submit_many(rows):
    parts = group(chain(normalise.s(row), predict_churn_single.s()) for row in rows)
    return (parts | summarise.s()).apply_async(priority=5)
