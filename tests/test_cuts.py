"""An evaluation that is given up is in the report: where, why, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_entries import program

from triton_migrate import api
from triton_migrate.resolve import evaluate
from triton_migrate.trace.unresolved import LOST

APP = """
from flask import Flask, request
from deep import f0
app = Flask(__name__)
model = f0()

@app.post("/p")
def p():
    return str(model.predict(request.json))
"""
DEPTH = 700
DEEP = "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(DEPTH)) + f"def f{DEPTH}():\n    return open\n"
REASON = "the program is too large to follow everything in it"


def test_what_is_nested_too_deeply_is_noted_with_its_place() -> None:
    evaluator = program({"app.py": APP, "deep.py": DEEP}).evaluator
    assert not evaluator.name("model", evaluator.program.frames["app.py"])
    assert [(span.file, evaluator.cuts.files[reason]) for reason, span in evaluator.cuts.first.items()] == [("deep.py", {"deep.py"})]
    assert list(evaluator.cuts.first) == ["what leads here is nested too deeply to follow"]


def test_a_program_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "deep.py").write_text(DEEP)
    assert told(tmp_path) == []
    monkeypatch.setattr(evaluate, "EFFORT", 20)
    assert told(tmp_path) == [("2 files, from", f"{REASON}: {LOST}")]


def told(folder: Path) -> list[tuple[str, str]]:
    return [(row["call"], row["reason"]) for row in api.scan(folder)["unresolved"] if row["reason"].startswith(REASON)]
