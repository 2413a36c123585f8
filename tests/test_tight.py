"""Tight ports: what is bound and for which routes, and that an application with live state answers as before, alone and in many workers.

`tight/<name>/` is an application; its `case.json` says how it is started, what it is asked, what is bound, and what the owner answers.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from fixture_folders import FIXTURES
from tight.serving import PATIENCE, Served, gone, serving

from triton_migrate import api
from triton_migrate.base import Span
from triton_migrate.bind.versions import conflicts
from triton_migrate.rewrite import AddDecorator, apply_operations

APPS = Path(__file__).parent / "tight"
CASES = {path.parent.name: json.loads(path.read_text()) for path in sorted(APPS.glob("*/case.json"))}
CREDIT, NOTES = "flask_credit", "fastapi_index"
NOTED = ["--access-logfile", "-", "--access-logformat", "answered %(p)s %(s)s"]  # by which worker


def command(case: dict[str, Any], workers: int) -> list[str]:
    if case["server"] == "asgi":
        return ["uvicorn", case["target"], "--port", "{port}", "--workers", str(workers)]
    return ["gunicorn", "-w", str(workers), "--threads", "8", "-b", "127.0.0.1:{port}", case["target"]]


def source(name: str) -> Path:
    """Where the application lies: beside its case, or among the fixtures."""
    fixture = CASES.get(name, {}).get("fixture")
    return FIXTURES / fixture / "before" if fixture else APPS / name


def copied(name: str, to: Path) -> Path:
    shutil.copytree(source(name), to, ignore=shutil.ignore_patterns("__pycache__", "*.joblib", "zero_shot", "case.json"))
    return to


def make_models(name: str, tree: Path) -> None:
    script = source(name).with_name("make_models.py") if CASES[name].get("fixture") else tree / "make_models.py"
    subprocess.run([sys.executable, script], cwd=tree, check=True, timeout=240)
    if CASES[name].get("fixture"):
        shutil.copytree(source(name), tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "*.txt", "__pycache__"))


@pytest.fixture(autouse=True)
def _has_pytriton(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("triton") is not None:
        pytest.importorskip("pytriton")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """name -> original and port, each with its model files, made once."""
    made: dict[str, tuple[Path, Path]] = {}

    def of(name: str) -> tuple[Path, Path]:
        if name not in made:
            for package in CASES[name].get("needs", ()):
                pytest.importorskip(package)
            folder = tmp_path_factory.mktemp(name)
            original, port = copied(name, folder / "original"), copied(name, folder / "port")
            api.apply(port, out=folder / "out", write=True)
            for tree in (original, port):
                make_models(name, tree)
            made[name] = original, port
        return made[name]

    return of


# ---------------------------------------------------------------- the plan


@pytest.mark.parametrize("name", CASES)
def test_what_is_bound_and_what_is_the_owners(name: str, tmp_path: Path) -> None:
    port, case = copied(name, tmp_path / "port"), CASES[name]
    report = api.apply(port, out=tmp_path / "out", write=True)
    bindings: dict[str, Any] = {"__name__": "bindings"}
    text = (port / "triton_serving/bindings.py").read_text()
    exec(text[text.index("OWNED =") : text.index("\n\n\n# ---")], bindings)

    assert report["not_ported"] == []
    assert [model["name"] for model in report["served_models"]] == case["bound"]
    assert [list(route) for route in bindings["OWNED"]] == case["owned"]
    assert not (port / "triton_serving/model_repository").exists()
    assert {c["file"] for c in report["changes"] if c["kind"] == "new"} >= {
        f"triton_serving/{f}.py" for f in ("bindings", "owner", "keeper")
    }
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F", port]
    assert subprocess.run(ruff, capture_output=True, text=True).stdout.startswith("All checks passed")
    assert api.apply(port, out=tmp_path / "again", write=True)["changes"] == [], "a port of a port changes nothing"


def test_patch_is_a_few_lines(tmp_path: Path) -> None:
    sizes = []
    for name in CASES:
        port = copied(name, tmp_path / name)
        report = api.apply(port, out=tmp_path / "out", write=True)
        changed = 0
        for file in {c["file"] for c in report["changes"] if c["kind"] == "edit"}:
            before, after = (source(name) / file).read_text().splitlines(), (port / file).read_text().splitlines()
            changed += sum(line[0] in "+-" and line[:3] not in ("+++", "---") for line in difflib.unified_diff(before, after))
        sizes.append(changed / sum(e["category"] == "tight" for e in report["endpoints"]))
    assert statistics.median(sizes) <= 12, sizes


def test_target_python_backend_takes_passable_state_along(tmp_path: Path) -> None:
    port = copied("flask_recommender", tmp_path / "port")
    report = api.apply(port, out=tmp_path / "out", write=True, target="python-backend")
    (model,) = report["served_models"]
    pipeline = (port / f"triton_serving/model_repository/{model['name']}/1/pipeline.py").read_text()

    assert [t["variable"] for t in model["inputs"]] == ["features"]
    assert "history" not in pipeline and "profile(user)" in (port / "app.py").read_text(), "the look-up stays in the route"
    assert not (port / "triton_serving/bindings.py").exists()

    trained = api.apply(copied(CREDIT, tmp_path / "credit"), out=tmp_path / "out", target="python-backend")
    (refused,) = trained["not_ported"]
    assert trained["served_models"] == [] and "train" in refused["reason"] and refused["file"] == "scoring.py"


SWAPPED = """
import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)


class Holder:
    def load(self, name):
        self.model = joblib.load(f"{name}.joblib")

    def predict(self, rows):
        return self.model.predict(rows).tolist()


holder = Holder()
holder.load("first")


@app.post("/predict")
def predict():
    return jsonify(holder.predict(request.get_json()["rows"]))


@app.post("/reload")
def reload():
    holder.load(request.get_json()["name"])
    return "", 204
"""


def test_a_model_that_a_route_replaces_stays_where_that_happens(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/server.py").write_text(SWAPPED)
    report = api.apply(tmp_path / "app", out=tmp_path / "out", write=True)
    bindings = (tmp_path / "app/triton_serving/bindings.py").read_text()
    assert report["not_ported"] == [] and not (tmp_path / "app/triton_serving/model_repository").exists()
    assert 'live("server.py").holder' in bindings and '("POST", "/reload")' in bindings


def test_a_decorator_is_added_above_or_below_the_others() -> None:
    source = "@app.task\n# why\n@once  # here\ndef f(): ...\n"
    function = Span("a.py", 4, 0, 4, 12)
    for inner, expected in ((False, f"@tight\n{source}"), (True, source.replace("def f", "@tight\ndef f"))):
        assert apply_operations(source, "a.py", (AddDecorator(function, "tight", inner),)) == expected


# ---------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("file", "text", "line", "reason"),
    [
        ("requirements.txt", "flask\nnumpy>=2\n", 2, "numpy"),
        ("requirements.txt", "flask\nnumpy==2.1.3 --hash=sha256:00\n", 2, "numpy"),
        ("requirements.txt", "numpy<2\n", 0, ""),
        ("requirements-dev.txt", "numpy==1.26.4  # old\n", 0, ""),
        ("pyproject.toml", '[project]\nname = "a"\nrequires-python = ">=3.13"\ndependencies = ["numpy"]\n', 3, "Python >=3.13"),
        ("pyproject.toml", '[project]\nname = "a"\nrequires-python = ">=3.9"\ndependencies = [\n  "numpy~=2.0",\n]\n', 5, "numpy"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nnumpy = "^2.0"\n', 3, "numpy"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nnumpy = {version = "^1.24", optional = true}\n', 0, ""),
        ("uv.lock", 'version = 1\n[[package]]\nname = "numpy"\nversion = "2.2.0"\n', 3, "numpy"),
        (".python-version", "3.13.1\n", 1, "Python"),
        ("runtime.txt", "python-3.11.9\n", 0, ""),
    ],
)
def test_pins_that_exclude_pytriton(tmp_path: Path, file: str, text: str, line: int, reason: str) -> None:
    (tmp_path / file).write_text(text)
    found = conflicts(tmp_path)
    assert [(c.span.file, c.span.line) for c in found] == ([(file, line)] if line else [])
    assert all(reason in c.reason and "--target python-backend" in c.fix for c in found)


def test_a_pin_that_conflicts_is_told_instead_of_ported(tmp_path: Path) -> None:
    port = copied(CREDIT, tmp_path / "port")
    (port / "requirements.txt").write_text("flask\nnumpy>=2.1\n")
    report = api.apply(port, out=tmp_path / "out")
    (refused,) = report["not_ported"]
    assert report["served_models"] == [] and report["changes"] == []
    assert (refused["file"], refused["line"]) == ("requirements.txt", 2) and "numpy>=2.1" in refused["reason"]


# ---------------------------------------------------------------- running


@pytest.mark.triton
@pytest.mark.parametrize(("name", "workers"), [*((name, 1) for name in CASES), ("flask_recommender", 3), ("fastapi_moderation", 3)])
def test_port_answers_like_the_original(name: str, workers: int, trees: Any, tmp_path: Path) -> None:
    original, port = trees(name)
    case = CASES[name]
    with serving(original, command(case, 1), case["ready"], DATABASE=str(tmp_path / "was.db")) as app:
        was = [app.ask(request) for request in case["requests"]]
    with serving(port, command(case, workers), case["ready"], DATABASE=str(tmp_path / "now.db")) as app:
        now = [app.ask(request) for request in case["requests"]]
        tritons = app.tritons()
    assert now == was
    assert len(tritons) == 1
    assert gone(app) == ([], [])


@pytest.mark.parametrize("name", [CREDIT, "fastapi_moderation"])
def test_without_triton_it_answers_the_same(name: str, trees: Any, tmp_path: Path) -> None:
    """TRITON_URL=local, the way back: nothing is started, and PyTriton is not needed."""
    original, port = trees(name)
    case = CASES[name]
    replies = []
    for tree in (original, port):
        with serving(tree, command(case, 1), case["ready"], TRITON_URL="local", DATABASE=str(tmp_path / f"{tree.name}.db")) as app:
            replies.append([app.ask(request) for request in case["requests"]])
            assert app.helpers() == []
    assert replies[0] == replies[1]


@pytest.mark.triton
def test_no_stale_prediction_under_load(trees: Any, tmp_path: Path) -> None:
    """Eight clients predict while another reports payments that train the model: what is acknowledged is seen by the next prediction."""
    _, port = trees(CREDIT)
    check = {"method": "POST", "path": "/customers/eve/check", "json": {"amount": 200}}

    def predict(app: Served) -> list[int]:
        return [app.ask({**check, "path": "/customers/bob/check"})[0] for _ in range(12)]

    def train(app: Served) -> list[tuple[float, float]]:
        seen = []
        for turn in range(12):
            before = app.ask(check)[1]["risk"]
            late = int(turn % 2 == 0)
            status, reply = app.ask({"method": "POST", "path": "/customers/dan/payments", "json": {"amount": 200 + turn, "late": late}})
            assert (status, reply["seen"]) == (201, turn + 1)
            seen.append((before, app.ask(check)[1]["risk"]))
        return seen

    with serving(port, command(CASES[CREDIT], 4), "/health", DATABASE=str(tmp_path / "credit.db")) as app:
        with ThreadPoolExecutor(9) as pool:
            predicting = [pool.submit(predict, app) for _ in range(8)]
            changes = pool.submit(train, app).result()
            statuses = [status for one in predicting for status in one.result()]
        assert app.ask({"method": "GET", "path": "/health"}) == (200, {"status": "ok", "seen": 12})
        assert len(app.tritons()) == 1
    assert statuses == [200] * 96
    assert all(before != after for before, after in changes), "each payment changed the model, and the next prediction knew"
    assert gone(app) == ([], [])


@pytest.mark.triton
@pytest.mark.parametrize("kind", [["--threads", "8"], ["-k", "sync"]], ids=["gthread", "sync"])
@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["workers", "preload"])
def test_four_workers_have_one_triton_and_the_next_owner_takes_over(
    kind: list[str], options: list[str], trees: Any, tmp_path: Path
) -> None:
    """Asked by all clients at once while it starts; then its owner is killed while they ask."""
    _, port = trees(CREDIT)
    check = {"method": "POST", "path": "/customers/eve/check", "json": {"amount": 200}}
    started = ["gunicorn", "-w", "4", *kind, *options, "-b", "127.0.0.1:{port}", *NOTED, CASES[CREDIT]["target"]]

    def served(app: Served) -> set[str]:
        return {line.split()[1] for line in app.log.read_text().splitlines() if line.startswith("answered")}

    def asked(app: Served) -> tuple[int, Any]:
        try:
            return app.ask(check, alone=True)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):  # the connection was the killed worker's
            return 503, None

    with serving(port, started, None, DATABASE=str(tmp_path / "credit.db")) as app, ThreadPoolExecutor(8) as pool:
        app.listens()
        was = list(pool.map(asked, [app] * 40))
        end = time.monotonic() + PATIENCE
        while len(served(app)) < 4 and time.monotonic() < end:  # on a busy machine the first ones up answer for those that still start
            was += pool.map(asked, [app] * 8)
        assert was == [was[0]] * len(was) and was[0][0] == 200
        assert len(app.tritons()) == 1
        assert len(served(app)) == 4, "every worker is served"

        first = app.owner["pid"]
        os.kill(first, signal.SIGKILL)
        replies = list(pool.map(asked, [app] * 40))  # one that waits for ever runs into the client's own limit, which is an error
        assert {status for status, _ in replies} <= {200, 503}
        assert [asked(app) for _ in range(8)] == [was[0]] * 8
        assert app.owner["pid"] != first and len(app.tritons()) == 1
    assert gone(app) == ([], [])


@pytest.mark.triton
def test_celery_prefork_has_one_owner(tmp_path: Path) -> None:
    """Every child of the pool is served by one Triton, and a task that trains is run where the model is."""
    pytest.importorskip("celery")
    port = copied("celery_spam", tmp_path / "port")
    report = api.apply(port, out=tmp_path / "out", write=True)
    assert [model["name"] for model in report["served_models"]] == ["spam_filter_judge"] and report["not_ported"] == []
    assert "@app.task\n@bindings.owned\ndef report" in (port / "worker.py").read_text()
    subprocess.run([sys.executable, "make_models.py"], cwd=port, check=True)
    for folder in ("queue", "results"):
        (tmp_path / folder).mkdir()
    place = {"BROKER": "filesystem://", "QUEUE": str(tmp_path / "queue"), "BACKEND": f"file://{tmp_path / 'results'}"}
    command = ["celery", "-A", "worker", "worker", "-c", "3", "-l", "warning"]
    ask = [sys.executable, "-c", ASKING]
    with serving(port, command, None, **place) as worker:
        done = subprocess.run(
            ask, cwd=port, env={**os.environ, **place, "TRITON_URL": "local"}, capture_output=True, text=True, timeout=500
        )
        tritons = worker.tritons()
    assert done.returncode == 0, done.stderr[-2000:]
    *(first, *after), error, pids = json.loads(done.stdout)
    assert len(tritons) == 1 and error == "ValueError: no text"
    assert [learned for learned, _ in after] == [1, 2, 3, 4, 5, 6]
    risks = [first["spam"], *(reply["spam"] for _, reply in after)]
    assert risks == sorted(risks, reverse=True) and len(set(risks)) == 7, "each report is seen by the next judgement"
    assert len(pids) > 1
    assert gone(worker) == ([], [])


ASKING = """
import json, worker
found = [worker.judge.delay("win money at lunch").get(timeout=240)]
for _ in range(6):
    learned = worker.report.delay("win money at lunch", False).get(timeout=240)
    found.append((learned, worker.judge.delay("win money at lunch").get(timeout=240)))
try:
    worker.judge.delay("").get(timeout=240)
except ValueError as error:
    found.append(f"ValueError: {error}")
found.append([found[0]["pid"]])
for _ in range(300):  # which child of the pool takes a task is Celery's choice
    if len(found[-1]) > 1:
        break
    pid = worker.judge.delay("win money at lunch").get(timeout=240)["pid"]
    found[-1] += [pid] * (pid not in found[-1])
print(json.dumps(found))
"""


@pytest.mark.triton
def test_development_server_with_reloader(trees: Any, tmp_path: Path) -> None:
    """One owner: the process that serves, not the one that watches; a change of a file starts it again, and SIGTERM leaves nothing."""
    _, made = trees("flask_recommender")
    port = tmp_path / "port"
    shutil.copytree(made, port)
    case = CASES["flask_recommender"]
    started = ["flask", "--app", "app", "run", "--debug", "--port", "{port}"]
    with serving(port, started, "/health") as app:
        first = app.owner["pid"]
        assert first != app.process.pid and len(app.tritons()) == 1
        assert app.ask(case["requests"][1]) == (201, {"events": 1})
        (port / "app.py").write_text((port / "app.py").read_text() + "\n# changed\n")
        wait = time.monotonic() + PATIENCE
        while app.owner_or(first) == first and time.monotonic() < wait:
            time.sleep(0.2)
            try:
                app.ask({"method": "GET", "path": "/health"})
            except OSError:
                continue
        assert app.owner["pid"] != first and len(app.tritons()) == 1
        assert app.ask(case["requests"][1]) == (201, {"events": 1}), "a new process begins with no history"
    assert gone(app) == ([], [])
