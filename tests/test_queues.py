"""Work that is put on a queue: its tasks become clients of Triton, and what is submitted, polled and answered stays the same.

`queues/<name>/` holds `app/`, `make_models.py` (run in the app's folder) and `case.json`: how the application and its worker start, the
requests (those with `poll` are followed until their job is done), the files that need no model library once ported (`light`), and whether
the port is asked through a real Triton (`triton`) or runs its pipelines in its own processes.
"""

from __future__ import annotations

import io
import json
import os
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
from triton_migrate.plan.queues import queue_rows
from triton_migrate.report import json as report_json
from triton_migrate.server import Ports, running

FOLDER = Path(__file__).parent / "queues"
CASES = {path.parent.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*/case.json"))}
HEAVY = ("import joblib", "import pickle", "import torch", "import sklearn", "from sklearn")
SECONDS = 60
Case = dict[str, Any]


@pytest.mark.triton
@pytest.mark.parametrize("name", CASES)
def test_jobs_end_as_they_did(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if case["redis"] and shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(FOLDER / name / "app", original)
    subprocess.run([sys.executable, str(FOLDER / name / "make_models.py")], cwd=original, check=True)
    shutil.copytree(original, port)
    report = api.apply(port, out=tmp_path / "out", write=True)
    assert report["not_ported"] == []
    report_json.validate(report)
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
        with started(case, port, url) as base:
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
        if case["worker"]:
            stack.enter_context(process([sys.executable, *(filled(a, values) for a in case["worker"])], folder, env, output))
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
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def waited(is_so: Any, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.1)
