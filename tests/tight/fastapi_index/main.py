"""Notes that are found by meaning: every note that is posted joins the index that the next search uses."""

import threading
from contextlib import asynccontextmanager

import joblib
import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field


class Note(BaseModel):
    text: str = Field(min_length=1)


class Query(BaseModel):
    text: str
    top: int = 2


class NoteIndex:
    """Vectors of all notes; grows while it is searched."""

    def __init__(self, path: str):
        bundle = joblib.load(path)
        self.vectorizer, self.encoder = bundle["vectorizer"], bundle["encoder"]
        self.vectors = np.zeros((0, 8))
        self.texts: list[str] = []
        self.lock = threading.RLock()

    def embed(self, text: str) -> np.ndarray:
        vector = self.encoder.predict(self.vectorizer.transform([text]))[0]
        return vector / (np.linalg.norm(vector) or 1.0)

    def add(self, text: str) -> int:
        vector = self.embed(text)
        with self.lock:
            self.vectors = np.vstack([self.vectors, vector])
            self.texts.append(text)
            return len(self.texts) - 1

    def search(self, text: str, top: int) -> list[dict]:
        if not self.texts:
            raise LookupError("the index is empty")
        vector = self.embed(text)
        with self.lock:
            similar = self.vectors @ vector
            best = np.argsort(-similar, kind="stable")[:top]
            return [{"id": int(i), "text": self.texts[i], "score": round(float(similar[i]), 6)} for i in best]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.index = NoteIndex("notes.joblib")
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health():
    return {"status": "ok", "notes": len(app.state.index.texts)}


@app.post("/notes", status_code=201)
def add_note(note: Note):
    return {"id": app.state.index.add(note.text)}


@app.post("/search")
def search(query: Query):
    try:
        found = app.state.index.search(query.text, query.top)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return {"query": query.text, "found": found}
