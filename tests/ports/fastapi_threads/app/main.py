import asyncio
import concurrent.futures
import functools

import anyio
import joblib
import numpy as np
from fastapi import FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

app = FastAPI()
pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
model = joblib.load("petals.joblib")
NAMES = ["short", "long"]


class Body(BaseModel):
    rows: list[list[float]]
    scale: float = 1.0


@app.post("/thread")
async def thread(body: Body):
    try:
        found = await asyncio.to_thread(model.predict, np.array(body.rows))
    except ValueError as error:
        raise HTTPException(422, str(error)[:20])
    return {"names": [NAMES[int(n)] for n in found]}


@app.post("/pool")
async def in_pool(body: Body):
    return {"shares": (await run_in_threadpool(model.predict_proba, (np.array(body.rows) * body.scale))).round(3).tolist()}


@app.post("/named")
async def named(body: Body):
    shares = await run_in_threadpool(
        model.predict_proba,  # once, for all rows
        X=np.array(body.rows),
    )
    return {"best": shares.argmax(axis=1).tolist()}


@app.post("/partial")
async def in_partial(body: Body):
    loop = asyncio.get_running_loop()
    found = await (loop.run_in_executor(pool, functools.partial(model.predict, body.rows)))
    return {"names": [NAMES[int(n)] for n in found]}


@app.post("/lambda")
async def in_lambda(body: Body):
    rows = np.asarray(body.rows)
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(None, lambda: (model.predict(rows * body.scale)))
    return {"names": [NAMES[int(n)] for n in found], "count": len(rows)}


def best(rows, names, *, scale):
    found = model.predict(np.array(rows) * scale)
    return [names[int(n)] for n in found]


@app.post("/helper")
async def helper(body: Body):
    if not body.rows:
        raise HTTPException(400, "no rows")
    chosen = await asyncio.to_thread(best, body.rows, NAMES, scale=body.scale)
    await asyncio.sleep(0)
    return {"names": chosen}


@app.post("/anyio")
async def by_anyio(body: Body):
    found = await anyio.to_thread.run_sync(model.predict, np.array(body.rows))
    return {"sum": int(found.sum())}
