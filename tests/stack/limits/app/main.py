"""Risks, for who sends little and waits shortly: two middlewares look at the size of a body, the routes at the time."""

import asyncio
import time

import joblib
import numpy as np
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

MOST = 200
SECONDS = 1.0


class TooMuch:
    """Counts what really comes, as a client need not say how much that is."""

    def __init__(self, app, most):
        self.app, self.most = app, most

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        seen = 0

        async def counted():
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise HTTPException(413, "too much")
            return message

        await self.app(scope, counted, send)


class SaysTooMuch(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        if int(request.headers.get("content-length", 0)) > MOST:
            return JSONResponse({"error": "payload too large"}, 413)
        return await call_next(request)


app = FastAPI()
app.add_middleware(TooMuch, most=MOST)
app.add_middleware(SaysTooMuch)
model = joblib.load("risk.joblib")


def scored(row, seconds=0.0):
    time.sleep(seconds)
    x = np.array([row], dtype=np.float64)
    return float(model.predict_proba(x)[0, 1])


@app.post("/risk")
async def risk(row: list[float]):
    try:
        return {"risk": await asyncio.wait_for(run_in_threadpool(scored, row), SECONDS * 60)}
    except asyncio.TimeoutError:
        raise HTTPException(504, "the model is late")


@app.post("/slow")
async def slow(row: list[float]):
    try:
        return {"risk": await asyncio.wait_for(run_in_threadpool(scored, row, 8.0), SECONDS)}
    except asyncio.TimeoutError:
        raise HTTPException(504, "the model is late")


@app.post("/raw")
async def raw(request: Request):
    if int(request.headers.get("content-length", 0)) > MOST // 2:
        raise HTTPException(413, "half of that at most")
    row = [float(value) for value in (await request.body()).split(b",")]
    return {"risk": scored(row)}
