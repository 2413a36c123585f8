"""Coroutines that wait for nothing are plain functions in Triton; whatever waits, or is more than awaited, stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from triton_migrate.plan.staged.waiting import settled
from triton_migrate.study import study

APP = """
import asyncio
import numpy as np
import torch
from fastapi import FastAPI

app = FastAPI()
net = torch.jit.load("net.pt")

async def prepare(values):
    {inside}
    return np.array([values], dtype=np.float32)

async def infer(rows):
    return net(torch.from_numpy(rows)).numpy()

async def answer(values):
    rows = await prepare(values)
    return await infer(rows)

@app.post("/score")
async def score(values: list[float]):
    {first}
    found = await answer(values)
    return found.tolist()
"""


@pytest.mark.parametrize(
    ("inside", "first", "kept"),
    [
        ("pass", "pass", set()),
        ("await asyncio.sleep(0)", "pass", {"prepare", "answer"}),
        ("pass", "other = asyncio.create_task(prepare(values))", {"prepare", "answer"}),
        ("async with asyncio.Lock(): pass", "pass", {"prepare", "answer"}),
    ],
    ids=["plain", "waits", "task", "lock"],
)
def test_what_waits_for_nothing_is_no_coroutine(inside: str, first: str, kept: set[str], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(inside=inside, first=first))
    text = settled(study(tmp_path))["app.py"]
    for name, call in (("prepare", "prepare(values)\n"), ("infer", "infer(rows)"), ("answer", "answer(values)")):
        assert (f"async def {name}(" in text) is (name in kept), name
        assert (f"await {call}" in text) is (name in kept), name
    assert "async def score(" in text
