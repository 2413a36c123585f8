import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, conlist

from service.batcher import Batcher

MODEL = Path(__file__).resolve().parent.parent / "risk.ts"


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.batcher = Batcher(str(MODEL))
    task = asyncio.create_task(app.state.batcher.run())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


class Applicant(BaseModel):
    features: conlist(float, min_length=4, max_length=4)


@app.post("/risk")
async def risk(applicant: Applicant):
    if any(f < 0 for f in applicant.features):
        raise HTTPException(400, "features must not be negative")
    score = await app.state.batcher.predict(applicant.features)
    return {"risk": round(score, 4), "accept": score < 0.5}


@app.get("/ready")
async def ready():
    return {"ready": True}
