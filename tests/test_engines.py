"""Engines behind one method, of which a setting makes one: each has a model of its own, and what it keeps for itself leaves with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.verify.run import verify_port
from triton_migrate.verify.start import Application

HERE = Path(__file__).parent / "engines"
STAGED = "engines/staged.py"
ASKED: list[dict[str, Any]] = [
    {"json": {"rows": [[0.5, 1, 2], [-1, 0.5, 1], [2, 2, 2]], "total": True}},
    {"json": {"rows": [[0.5, 1, 2], [-1, 0.5, 1]]}, "query": {"layout": "json"}},
    {"json": {"rows": [[-3, 1, 2]], "total": True}, "query": {"layout": "json"}},
    {"json": {"rows": [[-3, 1, 2]]}, "query": {"layout": "text"}},
    {"json": {"rows": "x"}, "infer": False},
]


@pytest.mark.triton
@pytest.mark.parametrize("engine", ["plain", "staged"])
def test_each_engine_answers_as_it_did(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", engine)
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(HERE / "app", original)
    subprocess.run([sys.executable, HERE / "make_models.py"], cwd=original, check=True)
    shutil.copytree(original, port)
    report: Any = api.apply(port, exports="none", write=True)
    assert not report["not_ported"]
    assert (port / "triton_serving/model_repository/staged_engine_report/1/pipeline.py").is_file()
    requests = tmp_path / "requests.jsonl"
    common = {"method": "POST", "path": "/report", "compare": "text", "infer": True}
    requests.write_text("\n".join(json.dumps({"id": str(i), **common, **asked}) for i, asked in enumerate(ASKED)))
    found = verify_port(original, port, Application("fastapi", "main:app", "asgi"), requests, python=Path(sys.executable), say=print)
    assert [(result.id, str(d)) for result in found.requests for d in result.differences] == []
    assert found.passed and len(found.requests) == len(ASKED)


ROUTE = '\n\n@app.get("/kept")\ndef kept():\n    {}\n'
ANOTHER = """

    def forget(self):
        {}
"""
LOOKED_AT = {
    "a route lists it": ("main.py", ROUTE.format('return sorted(engine.model["amounts"])')),
    "a route clears it": ("main.py", ROUTE.format('engine.model["amounts"].clear()')),
    "a route takes all of it": ("main.py", ROUTE.format("return str(engine.model)")),
    "a route empties the engine": ("main.py", ROUTE.format("engine.release()")),
    "a route puts another in its place": ("main.py", ROUTE.format('engine.model["amounts"] = {}')),
    "a route looks under a name": ("main.py", ROUTE.replace("()", "(name: str)", 1).format("return name in engine.model[name]")),
    "a method forgets": (STAGED, ANOTHER.format('self.model = {"kind": None, "amounts": {}}')),
    "a method counts it": (STAGED, ANOTHER.format('return len(self.model["amounts"])')),
    "it has another name, too": (STAGED, ANOTHER.format('self.known = self.model["amounts"]')),
}  # fmt: skip


@pytest.mark.parametrize(("file", "text"), LOOKED_AT.values(), ids=LOOKED_AT)
def test_a_part_of_the_engine_that_more_depends_on_stays(file: str, text: str, tmp_path: Path) -> None:
    app = shutil.copytree(HERE / "app", tmp_path / "app")
    with (app / file).open("a") as source:
        source.write(text)
    report: Any = api.apply(app)
    ((entry, reason),) = ((told["endpoint"], told["reason"]) for told in report["not_ported"])
    assert entry == "POST /report" and "model['amounts'] is filled while the model runs" in reason


def test_a_part_that_a_route_sets_is_read_where_it_is_set(tmp_path: Path) -> None:
    app = shutil.copytree(HERE / "app", tmp_path / "app")
    text = (
        (app / STAGED).read_text().replace('"amounts": {}', '"amounts": {}, "digits": 4').replace("[0]), 4)", '[0]), self.model["digits"])')
    )
    assert text.count("digits") == 2
    (app / STAGED).write_text(text)
    with (app / "main.py").open("a") as source:
        source.write(ROUTE.format('engine.model["digits"] = 2'))
    report: Any = api.apply(app)
    assert [told["endpoint"] for told in report["not_ported"]] == ["POST /report"]


FILLED_OTHERWISE = {
    "by what the request says besides": ('f"{kind}.joblib"', 'f"{kind}{layout}.joblib"'),
    "without a look": ('if kind in self.model["amounts"]:', "if layout:"),
}


@pytest.mark.parametrize(("before", "after"), FILLED_OTHERWISE.values(), ids=FILLED_OTHERWISE)
def test_what_is_no_cache_stays(before: str, after: str, tmp_path: Path) -> None:
    app = shutil.copytree(HERE / "app", tmp_path / "app")
    text = (app / STAGED).read_text()
    assert before in text
    (app / STAGED).write_text(text.replace(before, after))
    report: Any = api.apply(app)
    assert [told["endpoint"] for told in report["not_ported"]] == ["POST /report"]
