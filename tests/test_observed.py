"""Values seen at run time: the probes change nothing of what runs, however it is started; scan and apply fill in types with them."""

from __future__ import annotations

import ast
import asyncio
import builtins
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

from triton_migrate import api
from triton_migrate.base import SourceFile, TritonMigrateError
from triton_migrate.index.lower import lower
from triton_migrate.index.observed import Seen, read
from triton_migrate.plan.values.observed import contradiction, finer
from triton_migrate.plan.values.vtype import PLAIN, UNKNOWN, VType
from triton_migrate.report.json import schema
from triton_migrate.study import study
from triton_migrate.verify.observe import observing, places
from triton_migrate.verify.probes import triton_migrate_probes as probes

TRICKY = '''
import asyncio
from dataclasses import dataclass

class Base:
    def name(self):
        return "base"

class Child(Base):
    def name(self, loud: bool = bool(1)) -> str:
        """A docstring stays one."""
        found = super().name() + ("!" if loud else "")
        self.kept = found.upper()
        return f"{self.kept.lower()} {len(found) + 1}"

def everything(x, *rest, scale=2, **more):
    total = [y * scale for y in (x, *rest) if (z := y) > 0]
    table = {"a": total[0], **more}
    table["b"], (p, *q) = total[-1], rest
    for number, item in enumerate(total):
        table[f"n{number}"] = item + number
    del table["a"]
    match table:
        case {"b": value} if value > 0:
            found = [lambda k=value: k + p][0]()
        case _:
            found = None
    def inner():
        nonlocal found
        found = found + 1
        yield found
        yield from (found + n for n in q)
    return found, list(inner()), sorted(table.items()), Child().name(), Child.name.__doc__

async def waited(x):
    async def later(y):
        await asyncio.sleep(0)
        return y + 1
    return await later(x) + await later(await later(1))
'''
APP = """
import pickle
import sys

import numpy as np
from flask import Flask, jsonify, request

import shaping

app = Flask(__name__)
with open("model.pkl", "rb") as file:
    model = pickle.load(file)


@app.post("/score")
def score():
    given = request.get_json()
    if not given:
        return jsonify(error="nothing"), 400
    rows = shaping.shaped(given["rows"])
    rows = rows * np.float32(2)
    found = model.predict(rows)
    return jsonify(found=[int(one) for one in found])


if __name__ == "__main__":
    client = app.test_client()
    for sent in ([[1, 2, 3]], [[4, 5, 6], [7, 8, 9]]):
        print(client.post("/score", json={"rows": sent}).get_json())
    print(client.post("/score", json={}).status_code, __name__, sys.argv[1:])
"""
SHAPING = """
import importlib


def shaped(rows):
    return importlib.import_module("numpy").array(rows, dtype="float32")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    from sklearn.tree import DecisionTreeClassifier

    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "shaping.py").write_text(SHAPING)
    fitted = DecisionTreeClassifier().fit(np.array([[1, 2, 3], [8, 9, 9]], np.float32), [0, 1])
    (folder / "model.pkl").write_bytes(pickle.dumps(fitted))
    return folder


# ---------------------------------------------------------------- the probes


def plain(text: str, file: str, watched: bool, monkeypatch: pytest.MonkeyPatch, note: Callable[[str, Any], None]) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "module"}
    lines = frozenset(n.lineno for n in ast.walk(ast.parse(text)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))

    def observe(place: str, value: Any) -> Any:
        note(place, value)
        return value

    monkeypatch.setattr(builtins, probes.NAME, observe, raising=False)
    code = probes.probed(text.encode(), file, file, lines) if watched else compile(text, file, "exec")
    exec(code, namespace)
    return namespace


def test_probes_change_nothing_and_know_the_places_of_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[Any]] = {}
    runs = [
        plain(TRICKY, "t.py", watched, monkeypatch, lambda at, value: seen.setdefault(at, []).append(value)) for watched in (False, True)
    ]
    answers = [run["everything"](3, 4, 5, scale=10, c=1) for run in runs]
    assert answers[0] == answers[1]
    assert answers[0][0] == 54 and answers[0][3:] == ("base! 6", "A docstring stays one.")
    assert asyncio.run(runs[0]["waited"](1)) == asyncio.run(runs[1]["waited"](1)) == 5
    facts = lower(SourceFile("t.py", TRICKY, ""))
    known = {":".join(map(str, ("t.py", *at))) for at in _places(facts)}
    functions = {at for at in seen if at.split(":")[5:]}
    assert {at for at in seen if at not in functions} <= known
    assert {at.rsplit(":", 1)[1] for at in functions} == {"self", "loud", "x", "scale", "y"}
    line = next(n for n, text in enumerate(TRICKY.splitlines(), 1) if "super().name()" in text)
    here = [value for at, values in sorted(seen.items()) if at.startswith(f"t.py:{line}:") for value in values]
    assert [value for value in here if isinstance(value, str)][:2] == ["base", "base!"]


def _places(node: object) -> set[tuple[int, int, int, int]]:
    found = {node.at} if hasattr(node, "at") else set()
    return found.union(*(_places(part) for part in node)) if isinstance(node, tuple) else found


def test_what_a_value_is_said_to_be() -> None:
    class Own:
        pass

    values = {
        "python": {"name": "secret", "of": [1, 2.5, None, True], "pair": (b"x", "yz")},
        "array": np.array([[1, 5, 2]], np.int32),
        "none": np.array([np.nan, 1.0]),
        "number": np.float32(2.5),
        "image": Image.new("L", (2, 2)),
        "own": Own(),
        "huge": [10**400],
    }
    trees = {name: probes.describe(value) for name, value in values.items()}
    assert "secret" not in json.dumps(trees) and "name" not in json.dumps(trees["python"])
    assert trees["array"] == {"type": "numpy.ndarray", "dtype": "int32", "shape": [1, 3], "range": [1.0, 5.0]}
    assert trees["none"]["range"] is None and trees["huge"]["items"][0]["range"] is None
    said = {name: Seen((tree,)).said for name, tree in trees.items()}
    assert said["array"] == "ndarray int32, shape 1 × 3, values 1 to 5"
    assert said["python"] == "dict of str or list of int or float or NoneType or bool or tuple of bytes or str, length 3"
    assert (said["number"], said["own"], said["image"]) == ("float32, values 2.5", "Own", "Image")
    merged = Seen((trees["array"], probes.describe(np.zeros((4, 3), np.int32))))
    assert merged.said == "ndarray int32, shape 1 × 3 or 4 × 3, values 0 to 5"


def test_a_place_is_written_once_for_each_kind_and_range(tmp_path: Path) -> None:
    file = tmp_path / "observed.jsonl"
    file.write_text("")
    observe = probes.Observer(str(file))
    for value in (1, 1, 3, 2, "x", "y", np.zeros(2), np.zeros(2)):
        assert observe("a.py:1:2:3:4", value) is value
    rows = [json.loads(line)["value"] for line in file.read_text().splitlines()]
    assert [(row["type"], row.get("range")) for row in rows] == [
        ("int", [1, 1]), ("int", [1, 3]), ("str", None), ("numpy.ndarray", [0, 0])
    ]  # fmt: skip
    for number in range(2000):
        observe("b.py:1:2:3:4", number)
    assert len(file.read_text().splitlines()) <= 4 + probes.LOOKS
    file.unlink()
    assert observe("c.py:1:2:3:4", 5) == 5 and not file.exists()


# ---------------------------------------------------------------- getting in


@pytest.mark.parametrize("command", [["-m", "app", "--x"], ["-W", "ignore", "app.py", "--x"]])
def test_however_it_is_started_the_values_are_seen(app: Path, tmp_path: Path, command: list[str]) -> None:
    found, file, told = study(app), tmp_path / "out" / "observed.jsonl", list[str]()
    asked = places(found)
    assert asked.keys() == {"app.py"}
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("print('the machine own')")
    before = {path: path.read_bytes() for path in app.iterdir()}
    with observing(found.project, asked, file, told.append) as env:
        paths = env["PYTHONPATH"] + os.pathsep + str(own)
        whole = {**os.environ, **env, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, *command], cwd=app, env=whole, capture_output=True, text=True, timeout=240)
    assert done.stdout.splitlines()[-3:] == ["{'found': [0]}", "{'found': [1, 1]}", "400 __main__ ['--x']"], done.stderr
    assert "the machine own" in done.stdout
    assert {path: path.read_bytes() for path in app.iterdir()} == before
    seen = read(file, found.project.sources)
    assert told == [f"values seen at {len(seen.places)} places of app.py: {file}"]
    assert "ndarray float32, shape 1 × 3 or 2 × 3, values 1 to 9" in {one.said for one in seen.places.values()}


def test_nothing_seen_is_said_and_leaves_no_file(app: Path, tmp_path: Path) -> None:
    found, file, told = study(app), tmp_path / "observed.jsonl", list[str]()
    asked = places(found)
    (app / "app.py").write_text(APP + "\n")
    with observing(found.project, asked, file, told.append) as env:
        subprocess.run([sys.executable, "app.py"], cwd=app, env={**os.environ, **env}, capture_output=True, check=True, timeout=240)
    assert told == ["no values were seen: none of the 1 functions before a model ran in a Python that reads PYTHONPATH"]
    assert not file.exists()


# ---------------------------------------------------------------- what it is good for


@pytest.mark.parametrize(
    ("known", "seen", "finds", "says"),
    [
        (UNKNOWN, VType("array", "float32", 2), VType("array", "float32", 2), ""),
        (VType("array", "?", 0, True), VType("array", "int32", 2), VType("array", "int32", 2, True), ""),
        (VType("array", "float32"), VType("array", "float32", 3), VType("array", "float32", 3), ""),
        (VType("float"), PLAIN, VType("float"), ""),
        (UNKNOWN, UNKNOWN, UNKNOWN, ""),
        (VType("array", "float32", 2), VType("array", "float64", 2), None, "float32 by the code, but the recording saw float64"),
        (VType("array", "float32", 2), VType("array", "float32", 4), None, "2 axes by the code, but the recording saw 4"),
        (VType("array", "float32", 2), VType("tensor", "float32", 2), None, "an array by the code, but the recording saw a tensor"),
    ],
)
def test_what_was_seen_fills_in_and_never_takes_the_place(known: VType, seen: VType, finds: VType | None, says: str) -> None:
    assert contradiction(known, seen) == says
    assert says or finer(known, seen) == finds


def test_untyped_tensors_become_typed_and_changes_since_are_told(app: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (served,) = api.scan(app, out=out)["served_models"]
    assert {t["dtype"] for t in (*served["inputs"], *served["outputs"])} == {"STRING"}
    found = study(app)
    with observing(found.project, places(found), out / "observed.jsonl", print) as env:
        subprocess.run([sys.executable, "app.py"], cwd=app, env={**os.environ, **env}, capture_output=True, check=True, timeout=240)
    report = api.scan(app, out=out)
    jsonschema.validate(report, schema())
    (served,) = report["served_models"]
    assert [(t["dtype"], t["provenance"], t["seen"]) for t in served["inputs"]] == [
        ("FP32", "observed", "ndarray float32, shape 1 × 3 or 2 × 3, values 1 to 18")
    ]
    assert [(t["dtype"], t["provenance"]) for t in served["outputs"]] == [("INT64", "observed")]
    seen = report["observed"]
    assert seen is not None and seen["stale"] == [] and seen["contradicted"] == [] and seen["places"] >= 6
    assert "seen: ndarray float32" in (out / "report.html").read_text()

    rows = [json.loads(line) for line in (out / "observed.jsonl").read_text().splitlines()]
    for row in rows[1:]:
        if row["value"].get("dtype") == "float32":
            row["value"]["dtype"] = "float64"  # what a client's numbers may be, and not what `* np.float32(2)` of the code gives
    (out / "observed.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (served,) = api.scan(app, out=out)["served_models"]
    assert [(t["dtype"], t["provenance"]) for t in served["inputs"]] == [("STRING", "json")]

    (app / "app.py").write_text(APP + "\n# changed\n")
    report = api.scan(app, out=out)
    assert report["observed"] == {"places": 0, "stale": ["app.py"], "contradicted": []}
    assert {t["provenance"] for served in report["served_models"] for t in served["inputs"]} == {"json"}
    (out / "observed.jsonl").write_text('{"files": {}}\n{"place": 1}\n')
    with pytest.raises(TritonMigrateError, match=r"observed.jsonl:2: no observation"):
        api.scan(app, out=out)
