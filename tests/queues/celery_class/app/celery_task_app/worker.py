import os

from celery import Celery

BROKER_URI = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

app = Celery("celery_app", broker=BROKER_URI, backend=BROKER_URI, include=["celery_task_app.tasks"])
app.conf.task_acks_late = True
app.conf.result_extended = True
