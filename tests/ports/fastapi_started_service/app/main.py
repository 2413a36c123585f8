import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from pydantic import BaseModel

from service import Scorer


class Rows(BaseModel):
    rows: list[list[float]]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.forest = Scorer("forest.joblib")
    if not await asyncio.to_thread(app.state.forest.load):
        raise RuntimeError("no model")
    await app.state.forest.keep([0, 1, 2, 3])
    yield
    app.state.forest.model = None


app = FastAPI(lifespan=lifespan)


@app.post("/forest")
def forest(body: Rows, request: Request):
    return {"found": request.app.state.forest.score(body.rows)}

