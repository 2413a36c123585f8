"""How general the port is: small apps as people write them, each ported and asked the same as its original.

`ports/<name>/` holds `app/`, `make_models.py` (run in the app's folder) and `case.json`: the application, the requests, the entries that
may stay (`not_ported`), the places of requests that answer 503 while Triton is `down`, those of the `stacked` requests that a real
server is sent many of at once, and `xfail` or `xfail_on_triton` with the reason where the port is known to be wrong.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixture_folders import tree
from ports.answering import answers

from triton_migrate import api
from triton_migrate.server import Ports, running

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["flask", "fastapi.testclient", "sklearn.ensemble", "sklearn.linear_model", "torch", "pandas", "PIL.Image"])
FRESH = multiprocessing.get_context("spawn")
Case = dict[str, Any]
ALL = [(path.parent, json.loads(path.read_text())) for path in sorted((Path(__file__).parent / "ports").glob("*/case.json"))]


def _parameter(folder: Path, case: Case, known: str = "xfail") -> Any:
    marks = [pytest.mark.xfail(reason=case[known], strict=True)] if known in case else []
    return pytest.param(folder, case, id=folder.name, marks=marks)


@pytest.mark.parametrize(("folder", "case"), [_parameter(*each) for each in ALL])
def test_port_answers_like_the_original(folder: Path, case: Case, tmp_path: Path) -> None:
    original, port, bare = tmp_path / "original", tmp_path / "port", tmp_path / "bare"
    shutil.copytree(folder / "app", port)
    report = api.apply(port, out=tmp_path / "out", write=True)
    shutil.copytree(port, bare)
    assert sorted(e["endpoint"] for e in report["not_ported"]) == case.get("not_ported", []), report["not_ported"]
    assert all(e["reason"] and e["fix"] and e["file"] and e["line"] for e in report["not_ported"]), report["not_ported"]
    compiles(port)

    again = api.apply(port, out=tmp_path / "again", write=True)
    assert tree(port) == tree(bare), "a port of a port changes nothing"
    assert again["changes"] == []

    shutil.copytree(folder / "app", original)
    was, _ = ask(FORKED, original, case, "", folder / "make_models.py")
    for file in tree_of_models(original, folder / "app"):
        shutil.copy(original / file, port / file)
    now, _ = ask(FORKED, port, case, "local")
    assert different(case, was, now) == ""

    down = [case["requests"][place] for place in case.get("down", [])]
    offline = {**case, "requests": [*(request for request in case["requests"] if request.get("offline")), *down]}
    answered, heavy = ask(FRESH, bare, offline, "")
    assert [status for status, _ in answered[len(answered) - len(down) :]] == [503] * len(down)
    expected = [reply for request, reply in zip(case["requests"], was, strict=True) if request.get("offline")]
    assert answered[: len(expected)] == expected
    assert heavy == [] or "not_ported" in case, "the models' libraries have left the app"


@pytest.mark.triton
@pytest.mark.parametrize(("folder", "case"), [_parameter(f, c, "xfail_on_triton") for f, c in ALL if "stacked" in c])
def test_port_on_triton_stacks_requests(folder: Path, case: Case, tmp_path: Path) -> None:
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(folder / "app", port)
    api.apply(port, out=tmp_path / "out", write=True)
    shutil.copytree(folder / "app", original)
    was, _ = ask(FORKED, original, case, "", folder / "make_models.py")
    for file in tree_of_models(original, folder / "app"):
        shutil.copy(original / file, port / file)

    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        for _ in range(5):  # on a busy machine requests that are sent at once may arrive one by one
            now, _ = ask(FORKED, port, case, triton.url, together=16)
            counted = triton.statistics()
            calls, requests = sum(row.execution_count for row in counted), sum(row.request_success for row in counted)
            if calls < requests:
                break
    assert different(case, was, now[: len(was)]) == ""
    expected = [was[place] for place in case["stacked"]] * 16
    assert all(alike(reply, again) for reply, again in zip(expected, now[len(was) :], strict=True))
    assert calls < requests


def compiles(port: Path) -> None:
    """Every file parses, and no name in it is undefined."""
    command = ["ruff", "check", "--isolated", "--select", "E9,F63,F7,F82", "--output-format", "concise", port]
    ruff = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert ruff.returncode == 0, ruff.stdout
    for file, text in tree(port).items():
        if file.endswith(".py"):
            compile(text, file, "exec")


def tree_of_models(made: Path, source: Path) -> list[Path]:
    """What make_models.py has written."""
    files = [path.relative_to(made) for path in made.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [file for file in files if not (source / file).exists()]


def ask(
    context: Any, folder: Path, case: Case, url: str, prepare: Path | None = None, together: int = 0
) -> tuple[list[tuple[int, Any]], list[str]]:
    """Status and body of each request, and which heavy packages the app's process has imported."""
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=answers, args=(sending, folder, case, url, prepare, together))
    process.start()
    sending.close()
    try:
        if not receiving.poll(90):
            pytest.fail(f"the app in {folder} does not answer within 90 seconds")
        answered: tuple[list[tuple[int, Any]], list[str]] = receiving.recv()
    except EOFError:
        pytest.fail(f"the app in {folder} does not start (its traceback is on stderr)")
    finally:
        process.kill()
        process.join()
    return answered


def different(case: Case, was: list[tuple[int, Any]], now: list[tuple[int, Any]]) -> str:
    """The requests answered otherwise, in words."""
    both = zip(case["requests"], was, now, strict=True)
    return "\n".join(f"{request}\n  original {a}\n  port     {b}" for request, a, b in both if not alike(a, b))


def alike(was: Any, now: Any) -> bool:
    if isinstance(was, float) and isinstance(now, float):
        return was == now or math.isclose(was, now, rel_tol=1e-4, abs_tol=1e-5) or (was != was and now != now)
    if isinstance(was, dict) and isinstance(now, dict):
        return list(was) == list(now) and all(alike(was[key], now[key]) for key in was)
    if isinstance(was, (list, tuple)) and isinstance(now, (list, tuple)):
        return len(was) == len(now) and all(map(alike, was, now))
    return type(was) is type(now) and bool(was == now)
