from celery.utils.log import get_task_logger

from claims.errors import ClaimError, EmptyClaim
from claims.worker.app import celery_app
from claims.worker.model import fraud_model

logger = get_task_logger(__name__)
ATTEMPTS = {}


@celery_app.task(bind=True, max_retries=2, default_retry_delay=0)
def score_claim(self, claim_id: str, text: str):
    self.update_state(state="SCORING", meta={"claim": claim_id})
    try:
        return fraud_model.score(claim_id, text)
    except EmptyClaim as exc:
        ATTEMPTS[claim_id] = ATTEMPTS.get(claim_id, 0) + 1
        logger.warning("attempt %s of %s", self.request.retries + 1, claim_id)
        raise self.retry(exc=exc, countdown=0)


@celery_app.task(autoretry_for=(ConnectionError,), retry_kwargs={"max_retries": 3}, retry_backoff=True, soft_time_limit=30)
def score_quietly(claim):
    """One claim of a batch: a bad one is a row with an error."""
    try:
        return fraud_model.score(claim["id"], claim["text"])
    except (ClaimError, KeyError) as exc:
        return {"claim": claim.get("id"), "error": type(exc).__name__}


@celery_app.task
def summarise(rows, batch):
    scored = [r for r in rows if "error" not in r]
    worst = max(scored, key=lambda r: r["probability"], default=None)
    return {
        "batch": batch,
        "rows": rows,
        "frauds": sum(r["fraud"] for r in scored),
        "failed": len(rows) - len(scored),
        "worst": worst["claim"] if worst else None,
    }


@celery_app.task(priority=9)
def strict(claim_id, text, threshold):
    row = fraud_model.score(claim_id, text)
    if row["probability"] > threshold:
        raise ValueError(f"{claim_id}: {row['probability']:.2f} is above {threshold}")
    return row
