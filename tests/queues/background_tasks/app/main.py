import pickle
import uuid
from datetime import datetime
from enum import Enum
from pathlib import Path

import numpy as np
from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
jobs = {}

with open(Path(__file__).parent / "segmenter.pkl", "rb") as f:
    model = pickle.load(f)


class Status(str, Enum):
    pending = "pending"
    running = "running"
    done = "done"
    error = "error"


class Customers(BaseModel):
    rows: list[list[float]]
    names: list[str] | None = None


def run_segmentation(job_id: str, customers: Customers):
    jobs[job_id]["status"] = Status.running
    try:
        X = np.asarray(customers.rows, dtype=np.float64)
        labels = model.predict(X)
        distances = model.transform(X).min(axis=1)
        names = customers.names or [f"customer {i}" for i in range(len(X))]
        jobs[job_id]["result"] = [
            {"name": name, "segment": int(label), "distance": round(float(d), 3)} for name, label, d in zip(names, labels, distances)
        ]
        jobs[job_id]["status"] = Status.done
    except Exception as e:
        jobs[job_id]["status"] = Status.error
        jobs[job_id]["error"] = str(e)
    jobs[job_id]["finished_at"] = datetime.utcnow().isoformat()


@app.post("/segmentations", status_code=202)
async def segment(customers: Customers, background_tasks: BackgroundTasks):
    if not customers.rows:
        raise HTTPException(status_code=400, detail="no rows")
    job_id = uuid.uuid4().hex
    jobs[job_id] = {"id": job_id, "status": Status.pending, "result": None}
    background_tasks.add_task(run_segmentation, job_id, customers)
    return {"id": job_id, "status": Status.pending}


@app.get("/segmentations/{job_id}")
async def get_segmentation(job_id: str):
    if job_id not in jobs:
        raise HTTPException(status_code=404, detail="job not found")
    return jobs[job_id]


@app.get("/healthz")
async def healthz():
    return {"ok": True}
