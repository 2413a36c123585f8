import json
from contextlib import asynccontextmanager

from arq import create_pool
from arq.jobs import Job, JobStatus
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from worker import SETTINGS


class Row(BaseModel):
    row: list[float]
    currency: str = "EUR"


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.pool = await create_pool(SETTINGS)
    yield
    await app.state.pool.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/up")
async def up():
    return "up"


@app.post("/prices", status_code=202)
async def submit(body: Row):
    job = await app.state.pool.enqueue_job("price", body.row, currency=body.currency, _expires=600)
    return {"id": job.job_id}


@app.post("/cheapest")
async def cheapest(rows: list[list[float]]):
    if not rows:
        raise HTTPException(422, "no rows")
    job = await app.state.pool.enqueue_job("cheapest", rows)
    return await job.result(timeout=180)


@app.get("/prices/{job_id}")
async def status(job_id: str):
    pool = app.state.pool
    job = Job(job_id, pool)
    if await job.status() != JobStatus.complete:
        return {"state": "pending"}
    told = json.loads(await pool.get(f"progress:{job_id}"))
    info = await job.result_info()
    if not info.success:
        return {"state": "failed", "error": type(info.result).__name__, "message": str(info.result), "progress": told}
    return {"state": "done", "result": info.result, "progress": told, "tries": info.job_try}
