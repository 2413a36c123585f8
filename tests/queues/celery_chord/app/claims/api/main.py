from celery import chord
from celery.result import AsyncResult
from fastapi import FastAPI, HTTPException, status
from pydantic import BaseModel, Field

from claims import settings
from claims.worker.app import celery_app
from claims.worker.tasks import score_claim, score_quietly, strict, summarise

app = FastAPI(title="claims")


class Claim(BaseModel):
    id: str = Field(min_length=1, max_length=40)
    text: str = ""


class Batch(BaseModel):
    name: str
    claims: list[Claim]


class Strict(Claim):
    threshold: float = 0.5


class Accepted(BaseModel):
    task_id: str
    state: str


@app.post("/claims", response_model=Accepted, status_code=status.HTTP_202_ACCEPTED)
def submit(claim: Claim):
    task = score_claim.delay(claim.id, claim.text)
    return Accepted(task_id=task.id, state="PENDING")


@app.post("/batches", response_model=Accepted, status_code=202)
def submit_batch(batch: Batch):
    if not batch.claims:
        raise HTTPException(422, "no claims")
    if len(batch.claims) > settings.MAX_BATCH:
        raise HTTPException(413, f"at most {settings.MAX_BATCH} claims")
    header = [score_quietly.s(c.model_dump()) for c in batch.claims]
    task = chord(header)(summarise.s(batch.name))
    return Accepted(task_id=task.id, state="PENDING")


@app.post("/strict", response_model=Accepted, status_code=202)
async def submit_strict(body: Strict):
    task = strict.apply_async(args=(body.id, body.text), kwargs={"threshold": body.threshold}, expires=300)
    return Accepted(task_id=task.id, state="PENDING")


@app.get("/tasks/{task_id}")
def poll(task_id: str):
    task = AsyncResult(task_id, app=celery_app)
    answer = {"task_id": task_id, "state": task.state}
    if task.state == "FAILURE":
        answer["error"] = {"type": type(task.result).__name__, "message": str(task.result)}
    elif task.state == "SUCCESS":
        answer["result"] = task.result
    elif task.state == "SCORING":
        answer["progress"] = task.info
    return answer


@app.get("/tasks/{task_id}/result")
def result(task_id: str):
    task = AsyncResult(task_id, app=celery_app)
    if not task.ready():
        raise HTTPException(status.HTTP_409_CONFLICT, "not ready")
    try:
        return task.get(timeout=1)
    except Exception as exc:
        raise HTTPException(500, f"{type(exc).__name__}: {exc}") from exc


@app.get("/health")
def health():
    return {"status": "ok"}
