import asyncio
import json
import os
import time

import torch
from chars import ALPHABET, CharModel
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

app = FastAPI()

model = CharModel()
model.load_state_dict(torch.load("chars.pt"))
model.eval()


class Prompt(BaseModel):
    text: str = Field(min_length=1)
    length: int = Field(12, ge=1)
    seed: int = 0


@torch.no_grad()
def generate(text: str, length: int, seed: int):
    """Characters, one at a time."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([[ALPHABET.index(c) for c in text]])
    state = None
    for _ in range(length):
        logits, state = model(ids, state)
        probs = torch.softmax(logits[0, -1], dim=-1)
        ids = torch.multinomial(probs, 1, generator=generator).reshape(1, 1)
        yield ALPHABET[int(ids)]


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/generate")
def generate_text(prompt: Prompt):
    return StreamingResponse(generate(prompt.text, prompt.length, prompt.seed), media_type="text/plain")


@app.post("/events")
async def events(prompt: Prompt):
    async def stream():
        count = 0
        try:
            for char in generate(prompt.text.lower(), prompt.length, prompt.seed):
                count += 1
                yield f"data: {json.dumps({'token': char})}\n\n"
                await asyncio.sleep(0)
        except ValueError as e:
            yield f"event: error\ndata: {e}\n\n"
        yield f"data: [DONE] {count}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


@app.post("/watch")
async def watch(prompt: Prompt, request: Request):
    async def lines():
        for number, char in enumerate(generate(prompt.text, prompt.length, prompt.seed)):
            if await request.is_disconnected():
                print("client left")
                break
            yield json.dumps({"number": number, "token": char}) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.get("/steps")
def steps(text: str, gate: str):
    """A character each time that the file GATE.NUMBER is there."""

    def stream():
        number = 0
        for char in generate(text, 50, 7):
            yield char
            number += 1
            while not os.path.exists(f"{gate}.{number}"):
                time.sleep(0.005)

    return StreamingResponse(stream(), media_type="text/plain")
