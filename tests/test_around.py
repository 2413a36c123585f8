"""What stands before a route, or counts what it does, goes on doing so: guards, limits, metrics, readiness, tasks that are run at once."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.report import json as report_json
from triton_migrate.server import Ports, running

STACK = Path(__file__).parent / "stack"


def both(name: str, tmp_path: Path) -> tuple[Path, Path]:
    """The application with its models, and its port."""
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(STACK / name / "app", original)
    subprocess.run([sys.executable, str(STACK / name / "make_models.py")], cwd=original, check=True)
    shutil.copytree(original, port)
    report = api.apply(port, out=tmp_path / "out", write=True)
    report_json.validate(report)
    assert report["not_ported"] == []
    return original, port


def asked(folder: Path, script: str, url: str = "", **settings: str) -> Any:
    """What the script prints last, run in the application's folder."""
    env = {**os.environ, "TRITON_URL": url, **settings}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


GUARDED = """
import json
from app import app
client, said = app.test_client(), []
for method, path, key, row in [
    ("GET", "/ready", "", None), ("POST", "/risk", "", [1, 2]), ("POST", "/risk", "k1", [1, 2]), ("POST", "/risk", "k1", [0.5, 0]),
    ("POST", "/risk", "k1", [1, 2]), ("POST", "/risk", "k2", [1, 2]), ("POST", "/risk", "k2", [1] * 200),
]:
    reply = client.open(path, method=method, headers={"X-Key": key}, json={"row": row} if row else None)
    said.append([reply.status_code, reply.get_json(silent=True)])
print(json.dumps(said))
"""


@pytest.mark.triton
def test_who_may_ask_how_much_and_how_often_is_settled_on_the_route(tmp_path: Path) -> None:
    for library in ("flask_limiter", "statsd"):
        pytest.importorskip(library)
    original, port = both("guards", tmp_path)
    (flags,) = (e["flags"] for e in api.scan(original, out=tmp_path / "scan")["endpoints"] if e["path"] == "/risk")
    assert {"auth", "quota"} <= set(flags)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(30)
        counted = {"STATSD_PORT": str(statsd.getsockname()[1])}
        expected = asked(original, GUARDED, **counted)
        assert [status for status, _ in expected] == [200, 401, 200, 200, 429, 200, 413]
        told = [statsd.recv(512).partition(b":")[0] for _ in range(6)]
        with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
            assert asked(port, GUARDED, triton.url, **counted) == expected
            assert sum(s.request_success for s in triton.statistics()) == 3, "nobody who is turned away reaches Triton"
            assert [statsd.recv(512).partition(b":")[0] for _ in range(6)] == told == [b"risk.scoring", b"risk.scored"] * 3
        closed = [503, 401, 503, 503, 429, 503, 413]
        down = asked(port, GUARDED, triton.url, **counted)
        assert [status for status, _ in down] == closed, "readiness is that of Triton"
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes requests, and answers none
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            late = asked(port, GUARDED, url, TRITON_TIMEOUT="0.2", **counted)
        assert [status for status, _ in late] == closed, "who waits longer than TRITON_TIMEOUT is told"


LIMITED = """
import json
from fastapi.testclient import TestClient
from main import app
client, said = TestClient(app, raise_server_exceptions=False), []
long = json.dumps([1] * 200).encode()
for path, content in [
    ("/risk", b"[1, 2]"), ("/risk", long), ("/risk", iter([long])), ("/risk", iter([b"[0.5, ", b"0]"])), ("/slow", b"[1, 2]"),
    ("/raw", b"1,2"), ("/raw", b"1," * 60), ("/risk", b"no"),
]:
    reply = client.post(path, content=content, headers={"Content-Type": "application/json"})
    said.append([reply.status_code, reply.json()])
print(json.dumps(said))
"""


@pytest.mark.triton
def test_middlewares_that_bound_a_body_and_routes_that_bound_the_time_go_on_doing_so(tmp_path: Path) -> None:
    original, port = both("limits", tmp_path)
    expected = asked(original, LIMITED)
    assert [status for status, _ in expected] == [200, 413, 413, 200, 504, 200, 413, 422]
    kept = [line for line in (original / "main.py").read_text().splitlines() if "TooMuch" in line or "wait_for" in line or "413" in line]
    assert [line for line in kept if line not in (port / "main.py").read_text().splitlines()] == []
    assert asked(port, LIMITED, "local") == expected
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert asked(port, LIMITED, triton.url) == expected


@pytest.mark.parametrize("library", ["flask_limiter", "slowapi"])
def test_a_limit_by_caller_stays_and_what_waits_is_bounded_by_the_queue_policy(library: str, tmp_path: Path) -> None:
    app = Path(__file__).parents[1] / "fixtures" / library / "before"
    report = api.apply(app, out=tmp_path)
    (endpoint,) = report["endpoints"]
    assert "quota" in endpoint["flags"]
    (row,) = (f for f in endpoint["features"] if f["feature"] == "queue")
    assert row["status"] == "recommended" and "max_queue_size" in row["setting"] and "stays on the route" in row["why"]
    assert "-@limiter.limit" not in (tmp_path / "migration.patch").read_text()


COUNTED = """
import json
from fastapi.testclient import TestClient
from main import app
client = TestClient(app)
said = [client.post("/risk", json=row).status_code for row in ([1, 2], [0, 0], "no")]
lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith("http_requests_total{") and "/risk" in line]
print(json.dumps([said, sorted(lines)]))
"""


@pytest.mark.triton
def test_an_instrumented_application_goes_on_counting(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_fastapi_instrumentator")
    original, port = both("instrumented", tmp_path)
    (metric,) = (m for m in api.scan(original, out=tmp_path / "scan")["metrics"])
    assert (metric["file"], metric["kind"]) == ("main.py", "prometheus")
    expected = asked(original, COUNTED)
    assert expected[0] == [200, 200, 422] and any(line.endswith(" 2.0") for line in expected[1])
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert asked(port, COUNTED, triton.url) == expected


EAGER = """
import json
from web import app
client, said = app.test_client(), []
for row in ([1, 2], [0.5, -1], [1, 2, 3], [2, 2]):
    sent = client.post("/jobs", json={"row": row})
    said.append([sent.status_code, client.get(f"/jobs/{sent.get_json()['id']}").get_json()])
print(json.dumps(said))
"""


@pytest.mark.triton
def test_a_task_that_is_run_at_once_is_a_client_of_triton_too(tmp_path: Path) -> None:
    original, port = both("eager", tmp_path)
    expected = asked(original, EAGER)
    assert [job["state"] for _, job in expected] == ["SUCCESS", "SUCCESS", "FAILURE", "SUCCESS"]
    assert (expected[2][1]["error"], expected[2][1]["attempts"]) == ("Odd", 5), "retried as often as it may be"
    assert asked(port, EAGER, "local") == expected
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert asked(port, EAGER, triton.url) == expected
        assert sum(s.request_success for s in triton.statistics()) >= 3
