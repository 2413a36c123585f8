from celery import Celery
from kombu import Queue

from claims import settings

celery_app = Celery("claims", broker=settings.BROKER, backend=settings.BACKEND, include=["claims.worker.tasks"])
celery_app.conf.task_queues = (Queue("claims"), Queue("bulk"))
celery_app.conf.task_default_queue = "claims"
celery_app.conf.task_routes = {"claims.worker.tasks.summarise": {"queue": "bulk"}}
celery_app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_track_started=True,
    result_expires=900,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
)
