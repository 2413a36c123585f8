"""Notes that are found by meaning: every note that is posted joins the index that the next search uses."""

import threading
from contextlib import asynccontextmanager

import joblib
import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sklearn.neighbors import NearestNeighbors


class Note(BaseModel):
    text: str = Field(min_length=1)


class Query(BaseModel):
    text: str
    top: int = 2


class NoteIndex:
    """Notes by their vectors; grows while it is searched."""

    def __init__(self, path: str):
        self.vectorizer = joblib.load(path)
        self.vectors = np.zeros((0, len(self.vectorizer.vocabulary_)))
        self.texts: list[str] = []
        self.neighbours = NearestNeighbors(metric="cosine")
        self.lock = threading.RLock()

    def embed(self, text: str) -> np.ndarray:
        return self.vectorizer.transform([text]).toarray()

    def add(self, text: str) -> int:
        with self.lock:
            self.vectors = np.vstack([self.vectors, self.embed(text)])
            self.neighbours.fit(self.vectors)
            self.texts.append(text)
            return len(self.texts) - 1

    def search(self, text: str, top: int) -> list[dict]:
        with self.lock:
            if not self.texts:
                raise LookupError("the index is empty")
            distances, found = self.neighbours.kneighbors(self.embed(text), n_neighbors=min(top, len(self.texts)))
            pairs = zip(found[0].tolist(), distances[0].tolist())
            return [{"id": i, "text": self.texts[i], "score": round(1 - d, 6)} for i, d in pairs]


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
