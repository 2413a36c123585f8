from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from search.vectors import TooMany, Vectors

app = FastAPI()


class Ask(BaseModel):
    input: str | list[str]
    digits: int | None = None


@app.on_event("startup")
def start():
    app.state.vectors = Vectors("vectors.joblib")


@app.exception_handler(TooMany)
async def too_many(request: Request, error: TooMany):
    return JSONResponse({"error": str(error)}, status_code=413)


def vectors(request: Request) -> Vectors:
    return request.app.state.vectors


@app.post("/vectors")
def embed(body: Ask, service: Annotated[Vectors, Depends(vectors)]):
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts:
        raise HTTPException(400, "no text")
    found = service.of(texts, digits=body.digits)
    return {"data": [{"index": i, "vector": v} for i, v in enumerate(found.vectors)], "last": found.last, "ends": [s.end for s in found.spans]}


@app.get("/sure")
def sure(text: str, service: Annotated[Vectors, Depends(vectors)]):
    found = service.sure(text)
    if found is None:
        raise HTTPException(404, "not sure")
    return {"last": found.last, "found": asdict(found)}


@app.get("/likeness")
def likeness(left: str, right: str, service: Annotated[Vectors, Depends(vectors)]):
    return {"likeness": round(service.likeness(left, right), 4)}
