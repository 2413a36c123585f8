import os

from celery import Celery

URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
celery = Celery("shop", broker=URL, backend=URL)
celery.conf.update(task_track_started=True, task_acks_late=True, worker_prefetch_multiplier=1, result_extended=True)
celery.autodiscover_tasks(["shop.scoring", "shop.reports"])
