from collections import deque
from contextlib import asynccontextmanager
from typing import Deque, Dict

import joblib
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field


class Message(BaseModel):
    text: str = Field(min_length=1, max_length=500)


class Session:
    def __init__(self) -> None:
        self.turns: Deque[dict] = deque(maxlen=6)

    def context(self) -> str:
        return " ".join(t["text"] for t in self.turns)


sessions: Dict[str, Session] = {}
ml: dict = {}

REPLIES = {
    "greeting": "Hello! How can I help?",
    "order": "Which order do you mean?",
    "refund": "I will start a refund.",
    "goodbye": "Bye!",
}


@asynccontextmanager
async def lifespan(app: FastAPI):
    ml["intent"] = joblib.load("intent.joblib")
    yield
    ml.clear()


app = FastAPI(title="support bot", lifespan=lifespan)


@app.get("/healthz")
async def healthz():
    return {"ok": True, "sessions": len(sessions)}


@app.post("/sessions", status_code=201)
async def open_session(name: str = "anon"):
    session_id = f"s-{name}"
    sessions[session_id] = Session()
    return {"session_id": session_id}


@app.post("/sessions/{session_id}/messages")
async def chat(session_id: str, message: Message):
    session = sessions.get(session_id)
    if session is None:
        raise HTTPException(404, "no such session")
    session.turns.append({"role": "user", "text": message.text})
    document = session.context()
    probabilities = ml["intent"].predict_proba([document])[0]
    intents = ml["intent"].classes_
    best = int(probabilities.argmax())
    reply = REPLIES[intents[best]]
    session.turns.append({"role": "bot", "text": reply})
    return {
        "reply": reply,
        "intent": intents[best],
        "confidence": round(float(probabilities[best]), 4),
        "turns": len(session.turns),
    }


@app.get("/sessions/{session_id}")
async def transcript(session_id: str):
    if session_id not in sessions:
        raise HTTPException(status_code=404, detail="no such session")
    return list(sessions[session_id].turns)


@app.delete("/sessions/{session_id}", status_code=204)
async def close(session_id: str):
    sessions.pop(session_id, None)
    return Response(status_code=204)
