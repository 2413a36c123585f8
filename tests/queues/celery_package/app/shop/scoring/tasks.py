import urllib.request

from celery import Task
from celery.utils.log import get_task_logger

from shop.celery import celery
from shop.scoring.models import CURRENT, VERSIONS, Baskets

log = get_task_logger(__name__)


class Unscorable(Exception):
    pass


class ScoringTask(Task):
    """A task that loads its model once, when a worker first needs it."""

    abstract = True
    _baskets = None

    @property
    def baskets(self):
        if self._baskets is None:
            self._baskets = Baskets(VERSIONS[CURRENT])
        return self._baskets

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        celery.backend.client.hset("failures", task_id, f"{type(exc).__name__}: {exc}")


@celery.task(base=ScoringTask, bind=True, name="scoring.basket", max_retries=2, default_retry_delay=0)
def score_basket(self, row, callback=None):
    self.update_state(state="SCORING", meta={"tries": self.request.retries})
    if any(value is None for value in row):
        if self.request.retries < 2:
            raise self.retry(countdown=0)
        raise Unscorable(f"{row.count(None)} values are missing")
    ((label, score),) = self.baskets.score([row])
    result = {"label": label, "score": score, "tries": self.request.retries + 1}
    if callback:
        try:
            urllib.request.urlopen(f"{callback}?label={label}", timeout=60)
        except OSError as problem:
            log.warning("%s: %s", callback, problem)
    return result


@celery.task(base=ScoringTask, bind=True, name="scoring.many")
def score_many(self, rows):
    done = []
    for number, row in enumerate(rows):
        done.append(self.baskets.score([row])[0])
        self.update_state(state="PROGRESS", meta={"done": number + 1, "of": len(rows)})
    return [{"label": label, "score": score} for label, score in done]
