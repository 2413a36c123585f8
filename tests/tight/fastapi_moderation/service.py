"""Comments are moderated by a model that learns from every decision of a moderator."""

from contextlib import asynccontextmanager

import joblib
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel


class Comment(BaseModel):
    author: str
    text: str


class Decision(BaseModel):
    text: str
    block: bool


@asynccontextmanager
async def lifespan(app: FastAPI):
    bundle = joblib.load("moderation.joblib")
    app.state.vectorizer = bundle["vectorizer"]
    app.state.model = bundle["model"]
    app.state.decisions = 0
    yield


app = FastAPI(lifespan=lifespan)
warnings: dict[str, int] = {}


@app.get("/health")
async def health(request: Request):
    return {"status": "ok", "decisions": request.app.state.decisions}


@app.post("/comments")
async def comment(body: Comment, request: Request):
    if not body.text.strip():
        raise HTTPException(422, "empty comment")
    text = body.text
    counts = request.app.state.vectorizer.transform([text])
    risk = float(request.app.state.model.predict_proba(counts)[0, 1])
    blocked = risk >= 0.5
    if blocked:
        warnings[body.author] = warnings.get(body.author, 0) + 1
    return {"risk": round(risk, 6), "blocked": blocked, "warnings": warnings.get(body.author, 0)}


@app.post("/decisions", status_code=201)
async def decide(body: Decision, request: Request):
    counts = request.app.state.vectorizer.transform([body.text])
    for _ in range(5):
        request.app.state.model.partial_fit(counts, [int(body.block)])
    request.app.state.decisions += 1
    return {"decisions": request.app.state.decisions}
