"""Work that is put on a queue: its tasks become clients of Triton, and what is submitted, polled and answered stays the same.

`queues/<name>/` holds `app/`, `make_models.py` (run in the app's folder) and `case.json`: how the application and its worker start, the
requests (those with `poll` are followed until their job is done), the files that need no model library once ported (`light`), and whether
the port is asked through a real Triton (`triton`) or runs its pipelines in its own processes. With `sync_queue` the port has no worker.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from triton_migrate import api
from triton_migrate.base import Span
from triton_migrate.entries.options import Told
from triton_migrate.plan.around.queues import queue_rows
from triton_migrate.report import json as report_json
from triton_migrate.server import Ports, running

FOLDER = Path(__file__).parent / "queues"
CASES = {path.parent.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*/case.json"))}
HEAVY = ("import joblib", "import pickle", "import torch", "import sklearn", "from sklearn")
SECONDS = 240
Case = dict[str, Any]


@pytest.mark.triton
@pytest.mark.parametrize("name", CASES)
def test_jobs_end_as_they_did(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if case["redis"] and shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    for library in case.get("needs", ()):
        pytest.importorskip(library)
    alone = case.get("sync_queue", False)
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(FOLDER / name / "app", original)
    subprocess.run([sys.executable, str(FOLDER / name / "make_models.py")], cwd=original, check=True)
    shutil.copytree(original, port)
    report = api.apply(port, out=tmp_path / "out", write=True, sync_queue=alone)
    assert report["not_ported"] == []
    report_json.validate(report)
    steps = port / "triton_serving" / "model_repository"
    for ensemble, stages in case.get("ensembles", {}).items():
        assert re.findall(r'model_name: "(\w+)"', (steps / ensemble / "config.pbtxt").read_text()) == stages
    for file in case["light"]:
        assert [word for word in HEAVY if word in (port / file).read_text()] == [], file
    assert api.apply(port, out=tmp_path / "again", write=True)["changes"] == []

    with started(case, original, "") as base:
        was = [asked(case, request, base) for request in case["requests"]]
    with ExitStack() as stack:
        url = "local"
        if case["triton"]:
            triton = stack.enter_context(running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None))
            url = triton.url
        with started({**case, "worker": None, "workers": ()} if alone else case, port, url) as base:
            now = [asked(case, request, base) for request in case["requests"]]
        if case["triton"]:
            assert sum(s.inference_count for s in triton.statistics()) >= sum(bool(r.get("infer")) for r in case["requests"])
    assert now == was


def test_what_a_queue_is_told_is_kept_with_it(tmp_path: Path) -> None:
    report = api.apply(FOLDER / "celery_class" / "app", out=tmp_path)
    report_json.validate(report)
    (task,) = (task for task in report["tasks"] if task["inference"])
    assert task["name"] == "celery_task_app.tasks.predict_churn_single"
    assert {(o["option"], o["kind"], o["without_queue"]) for o in task["options"]} == {
        ("ignore_result", "result", "lost"), ("max_retries", "retries", "lost"), ("retry", "retries", "lost"),
        ("rate_limit", "rate-limit", "mapped"), ("time_limit", "time-limit", "mapped"), ("soft_time_limit", "time-limit", "mapped"),
        ("chain", "workflow", "lost"), ("group", "workflow", "lost"), ("s", "workflow", "lost"), ("backend", "result", "lost"),
        ("task_acks_late", "late-ack", "lost"), ("expires", "expiry", "mapped"),
    }  # fmt: skip
    assert all(o["fate"] == "kept" and o["why"] and (o["setting"] is None) == (o["without_queue"] == "lost") for o in task["options"])
    (chain,) = (o["why"] for o in task["options"] if o["option"] == "chain")
    assert "it can be no ensemble, as no step of one has `max_retries` (celery_task_app/tasks.py:" in chain
    page, patch = (tmp_path / "report.html").read_text(), (tmp_path / "migration.patch").read_text()
    assert "What the queue is told" in page and "dynamic_batching.default_queue_policy" in page
    assert "+## The queue" in patch
    assert "| retries: `max_retries` | celery_task_app/tasks.py:" in patch


def test_a_route_that_polls_its_own_job_runs_it(tmp_path: Path) -> None:
    port = tmp_path / "port"
    shutil.copytree(FOLDER / "waited_for" / "app", port)
    report = api.apply(port, write=True, sync_queue=True)
    server = (port / "server.py").read_text()
    assert report["not_ported"] == []
    assert 'job = flooded(request.get_json()["row"])\n    return jsonify(job)' in server, "the queue's options go, and so does the loop"
    assert 'job = flooded(request.get_json()["row"], margin=0.2)\n    answer = job\n' in server
    assert 'level=level.call_local(request.get_json()["row"])' in server and "found = result\n" in server
    kept = ("if job.is_failed", 'queue.enqueue(flooded, request.get_json()["row"]).id', ".get(blocking=True))", "result.get()")
    assert [line for line in kept if line not in server] == [], "what asks how a job ended, or tells its id, needs the queue"
    assert server.count("time.sleep(") == 1
    configs = {p.parent.name: p.read_text() for p in (port / "triton_serving/model_repository").glob("*/config.pbtxt")}
    times = sorted(re.findall(r"default_timeout_microseconds: (\d+)", "".join(configs.values())))
    assert times == ["20000000", "30000000"], "the worker's time limit of the one, the expiry of the other"
    report_json.validate(report)
    assert [len(t["direct"]) for t in report["tasks"]] == [2, 2]
    assert {o["fate"] for t in report["tasks"] for o in t["options"]} == {"kept"}, "other routes put them on the queue, too"
    alone = tmp_path / "alone"
    shutil.copytree(FOLDER / "waited_for" / "app", alone)
    routes = (alone / "server.py").read_text().split("\n\n\n")
    others = ("def watched(", "def flood_later(", "def strict(", "def peek(")
    (alone / "server.py").write_text("\n\n\n".join(r for r in routes if not any(o in r for o in others)) + "\n")
    report = api.apply(alone, write=True, sync_queue=True)
    report_json.validate(report)
    fates = {(o["option"], o["fate"]) for t in report["tasks"] for o in t["options"]}
    assert fates == {
        ("retries", "lost"), ("retry_delay", "lost"), ("expires", "mapped"), ("job_timeout", "mapped"), ("default_timeout", "mapped"),
        ("result_ttl", "lost"),
    }  # fmt: skip
    assert "import time" not in (alone / "server.py").read_text()


OTHERS = """
import threading

import joblib
import numpy as np
from arq import Retry, func
from arq.connections import ArqRedis
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()
model, other, third = joblib.load("a.joblib"), joblib.load("b.joblib"), joblib.load("c.joblib")
pool = ArqRedis()
done = {}


async def predict(ctx, row):
    if len(row) != 2:
        raise Retry(defer=5)
    return float(model.predict_proba(np.array([row], dtype=np.float64))[0, 1])


class WorkerSettings:
    functions = [func(predict, max_tries=2)]
    job_timeout = 30


def work(key, row):
    done[key] = float(other.predict_proba(np.array([row], dtype=np.float64))[0, 1])


def beside(key, row):
    done[key] = float(third.predict_proba(np.array([row], dtype=np.float64))[0, 0])


@app.post("/rain")
async def rain(row: list[float]):
    return {"id": (await pool.enqueue_job("predict", row, _defer_by=2, _expires=60)).job_id}


@app.post("/background")
def background(key: str, row: list[float], tasks: BackgroundTasks):
    tasks.add_task(work, key, row)
    return {"key": key}


@app.post("/thread")
def thread(key: str, row: list[float]):
    threading.Thread(target=beside, args=(key, row), daemon=True).start()
    return {"key": key}
"""


def test_each_queue_has_its_table(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OTHERS)
    report = api.apply(tmp_path, out=tmp_path / "out")
    report_json.validate(report)
    told = {t["queue"]: {(o["option"], o["kind"], o["without_queue"]) for o in t["options"]} for t in report["tasks"]}
    assert told == {
        "arq": {
            ("_defer_by", "delay", "lost"), ("_expires", "expiry", "mapped"), ("Retry", "retries", "lost"),
            ("max_tries", "retries", "lost"), ("job_timeout", "time-limit", "mapped"),
        },
        "thread": {("Thread", "in-process", "lost")},
    }  # fmt: skip
    rows = (e.get("options", ()) for e in report["endpoints"])
    beside = [[(o["option"], o["kind"], o["fate"], o["without_queue"]) for o in row] for row in rows]
    assert [("background-task", "in-process", "kept", "lost")] in beside, beside
    patch = (tmp_path / "out/migration.patch").read_text()
    assert "| `background` | in-process: `background-task` | app.py:" in patch and "lost with its process, never run again" in patch


def test_a_chain_of_plain_tasks_could_be_an_ensemble() -> None:
    part = Told(Span("tasks.py", 3, 0, 3, 9), "workflow", "chain")
    (row,) = queue_rows("score", (part,))
    assert (row.fate.without, row.fate.setting[:11]) == ("mapped", "an ensemble")


def test_a_model_that_a_worker_held_is_no_longer_loaded_there(tmp_path: Path) -> None:
    port = tmp_path / "port"
    shutil.copytree(FOLDER / "celery_class" / "app", port)
    api.apply(port, write=True)
    tasks = (port / "celery_task_app/tasks.py").read_text()
    pipeline = (port / "triton_serving/model_repository/predict_churn_single/1/pipeline.py").read_text()
    assert "ChurnModel" not in tasks and "self.model" not in tasks
    assert "raise self.retry(exc=exc, countdown=1)" in tasks and "return self.run(*args, **kwargs)" in tasks
    assert "errors=(Exception,)" in tasks, "who asks for a job's state sees the exception that the model raised"
    assert "class PredictTask:" in pipeline and "import celery" not in pipeline and "from celery " not in pipeline
    assert "predict_task.model = ChurnModel()" in pipeline
    assert "__call__" not in pipeline and "on_failure" not in pipeline
    assert "errorhandler" not in (port / "server.py").read_text(), "no route asks Triton itself"


# ---------------------------------------------------------------- running an application


@contextmanager
def started(case: Case, folder: Path, url: str) -> Iterator[str]:
    """The application with its worker and a Redis of its own; gives its URL."""
    port, redis = free_port(), free_port()
    values = {"{port}": str(port), "{redis_port}": str(redis)}
    env = {**os.environ, **{key: filled(text, values) for key, text in case["env"].items()}}
    env.pop("TRITON_URL", None)
    env |= {"TRITON_URL": url} if url else {}
    log = folder.parent / f"{folder.name}.log"
    with ExitStack() as stack, log.open("wb") as output:
        if case["redis"]:
            stack.enter_context(process(["redis-server", "--port", str(redis), "--save", ""], folder, env, output))
            waited(lambda: connects(redis), log)
        for worker in case.get("workers", [case["worker"]] if case.get("worker") else ()):
            stack.enter_context(process([sys.executable, *(filled(a, values) for a in worker)], folder, env, output))
        stack.enter_context(process([sys.executable, *(filled(a, values) for a in case["command"])], folder, env, output))
        base = f"http://127.0.0.1:{port}"
        waited(lambda: answers(base + case["ready"]), log)
        yield base


@contextmanager
def process(command: list[str], folder: Path, env: dict[str, str], output: Any) -> Iterator[None]:
    running = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output)
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()


def asked(case: Case, request: Case, base: str) -> tuple[int, Any]:
    """Status and body of a request, and of the last poll of its job; what differs by nature is left out."""
    files = {"image": ("x.png", picture(request["picture"]), "image/png")} if "picture" in request else None
    sent = requests.request(
        request["method"], base + request["path"], json=request.get("json"), data=request.get("form"), files=files, timeout=SECONDS
    )
    if "poll" not in request:
        return sent.status_code, plain(case, sent)
    poll, last = request["poll"], sent
    deadline = time.monotonic() + SECONDS
    while last is sent or last.json().get(poll["field"]) not in poll["until"]:
        assert time.monotonic() < deadline, last.text
        time.sleep(0.05)
        last = requests.get(base + poll["path"].format(**sent.json()), timeout=SECONDS)
    return sent.status_code, (plain(case, sent), plain(case, last))


def plain(case: Case, reply: requests.Response) -> Any:
    if not reply.headers.get("content-type", "").startswith("application/json"):
        return reply.text
    body = reply.json()
    return {key: value for key, value in body.items() if key not in case["ignore"]}


def picture(size: str) -> bytes:
    width, height = map(int, size.split("x"))
    image = Image.frombytes("L", (width, height), bytes((7 * i) % 251 for i in range(width * height)))
    image.save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()


def filled(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def waited(is_so: Any, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.1)
