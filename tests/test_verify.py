"""Verification: reading recorded requests, comparing replies, starting real apps, load, and the whole of it against a real Triton."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from triton_migrate import api
from triton_migrate.base import TritonMigrateError
from triton_migrate.server.triton import ModelStatistics
from triton_migrate.verify.client import Reply, client
from triton_migrate.verify.compare import (
    bytes_differences,
    comparison_for,
    differences,
    json_differences,
    stream_differences,
    text_differences,
)
from triton_migrate.verify.load import LoadPlan, Target, drive, drive_at, measure_load
from triton_migrate.verify.records import Difference, RequestResult, ServerShare, Verification
from triton_migrate.verify.replay import replay
from triton_migrate.verify.requests import RecordedRequest, read_requests
from triton_migrate.verify.run import verify_port
from triton_migrate.verify.shares import memory, server_share
from triton_migrate.verify.start import App, Application, free_ports, refuse_without_client, running_app, start_command
from triton_migrate.verify.together import Crowd, together
from triton_migrate.verify.varying import unexplained, varying
from triton_migrate.verify.wire import wire

FLASK = """
    import json, os, urllib.request
    from flask import Flask, Response, jsonify, redirect, request, session, url_for

    app = Flask(__name__)
    app.secret_key = os.urandom(8)

    def double(x):
        return 2 * x

    @app.post("/double")
    def answer():
        x = (request.get_json(silent=True) or {}).get("x")
        if not isinstance(x, (int, float)):
            return jsonify(error="x must be a number"), 422
        return jsonify(result=double(x), label="big" if x > 10 else "small", server=os.getpid())

    @app.post("/login")
    def login():
        session["user"] = request.form["user"]
        return redirect(url_for("me", _external=True))

    @app.get("/me")
    def me():
        return f"hello {session.get('user', 'stranger')}"

    @app.get("/stream")
    def stream():
        return Response((f"data: {i / 3}\\n\\n" for i in range(3)), mimetype="text/event-stream")

    @app.post("/jobs")
    def submit():
        return jsonify(job="j1"), 202

    @app.get("/jobs/<job>")
    def job(job):
        return jsonify(state="DONE", result=[0.5])

    @app.get("/exit")
    def leave():
        os._exit(7)
"""
FASTAPI = """
    import json, os, urllib.request
    from fastapi import FastAPI, HTTPException, UploadFile

    def create_app():
        app = FastAPI()

        @app.post("/length")
        def length(file: UploadFile, scale: int = 1):
            if file.content_type != "text/plain":
                raise HTTPException(415, "text only")
            return {"name": file.filename, "result": double(len(file.file.read()) * scale)}

        return app

    def double(x):
        return 2.0 * x
"""
# What a port does, with nothing but the standard library: the app calls Triton's v2 protocol over JSON.
TRITON_DOUBLE = """
    def double(x):
        body = {"inputs": [{"name": "X", "datatype": "FP64", "shape": [1, 1], "data": [float(x)]}]}
        url = os.environ["TRITON_URL"] + "/v2/models/double/infer"
        with urllib.request.urlopen(url, json.dumps(body).encode()) as reply:
            return json.load(reply)["outputs"][0]["data"][0]
"""
CONFIG = """
    name: "double"
    backend: "python"
    max_batch_size: 8
    input [ { name: "X" data_type: TYPE_FP64 dims: [ 1 ] } ]
    output [ { name: "Y" data_type: TYPE_FP64 dims: [ 1 ] } ]
    dynamic_batching { }
"""
MODEL = """
    import triton_python_backend_utils as pb_utils


    class TritonPythonModel:
        def execute(self, requests):
            return [self.answer(request) for request in requests]

        def answer(self, request):
            x = pb_utils.get_input_tensor_by_name(request, "X").as_numpy()
            return pb_utils.InferenceResponse([pb_utils.Tensor("Y", 2 * x)])
"""
WSGI = Application("flask", "app:app", "wsgi")
ASGI = Application("fastapi", "svc.main:create_app", "asgi", factory=True)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedent(text), encoding="utf-8")
    return root


def jsonl(folder: Path, *records: dict[str, Any]) -> Path:
    file = folder / "requests.jsonl"
    file.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return file


def recorded(tmp_path: Path, **fields: Any) -> RecordedRequest:
    (request,) = read_requests(jsonl(tmp_path, {"id": "a", "method": "GET", "path": "/", **fields}))
    return request


@contextmanager
def up(root: Path, application: Application, python: Path, name: str = "the original") -> Iterator[App]:
    (port,) = free_ports(1)
    with running_app(name, root, start_command(application, python, port), port) as app:
        yield app


# ------------------------------------------------------------------ requests


def test_requests_are_read_in_order_and_encoded(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    first, second, third, fourth, fifth = read_requests(
        jsonl(
            tmp_path,
            {
                "id": "json",
                "method": "post",
                "path": "/a?b=1",
                "query": {"k": ["2", "3"]},
                "json": None,
                "expect_status": 200,
                "infer": True,
            },
            {"id": "form", "method": "POST", "path": "/ü", "form": {"n": 5, "s": "ä b"}, "tol": 0.1, "ignore": ["t"]},
            {"id": "files", "method": "POST", "path": "/", "form": {"k": "v"}, "files": {"f": {"path": "cat.png", "type": "image/png"}}},
            {"id": "texts", "method": "POST", "path": "/", "files": {"f": [{"text": "one", "name": "1.txt"}, {"text": "two\u2028"}]}},
            {
                "id": "raw",
                "method": "PUT",
                "path": "/",
                "body_b64": "AAE=",
                "headers": {"X-A": "b"},
                "poll": {"path": "/j/{id}", "field": "s", "until": ["ok"]},
            },
        )
    )
    assert (first.method, first.target, first.path, first.body) == ("POST", "/a?b=1&k=2&k=3", "/a?b=1", b"null")
    assert dict(first.headers)["Content-Type"] == "application/json"
    assert (first.expect_status, first.infer, first.tol, first.compare, first.line) == (200, True, 1e-6, None, 1)
    assert (second.target, second.body) == ("/%C3%BC", b"n=5&s=%C3%A4+b")
    assert (second.tol, second.ignore, second.infer, second.poll) == (0.1, ("t",), False, None)
    assert dict(third.headers)["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="f"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in third.body
    assert b'name="k"\r\n\r\nv' in third.body
    assert fourth.body.count(b'form-data; name="f"') == 2
    assert b'filename="1.txt"' in fourth.body
    assert (fifth.method, fifth.body, dict(fifth.headers)["X-A"]) == ("PUT", b"\0\1", "b")
    assert fifth.poll is not None
    assert (fifth.poll.path, fifth.poll.until, fifth.poll.timeout) == ("/j/{id}", ("ok",), 60.0)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not JSON"),
        ("\udcff", "not JSON"),
        ("[1]", "is not of type 'object'"),
        ('{"method": "GET", "path": "/"}', "'id' is a required property"),
        ('{"id": "a", "path": "/"}', "'method' is a required property"),
        ('{"id": "a", "method": "GET"}', "'path' is a required property"),
        ('{"id": "a", "method": "G T", "path": "/"}', "method: 'G T' does not match"),
        ('{"id": "a", "method": "GET", "path": "x"}', "path: 'x' does not match"),
        ('{"id": "a", "method": "GET", "path": "/", "jsn": 1}', "'jsn' was unexpected"),
        ('{"id": "a", "method": "GET", "path": "/", "compare": "xml"}', "compare: 'xml' is not one of"),
        ('{"id": "a", "method": "GET", "path": "/", "headers": {"A": "b\\nc"}}', "headers: A: "),
        ('{"id": "a", "method": "POST", "path": "/", "json": 1, "form": {}}', "more than one body: json, form"),
        ('{"id": "a", "method": "POST", "path": "/", "body_b64": "%"}', "body_b64"),
        ('{"id": "a", "method": "POST", "path": "/", "files": {"f": {"path": "gone.png"}}}', "files.f: gone.png: No such file"),
        ('{"id": "first", "method": "GET", "path": "/"}', "id 'first' is taken by line 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"id": "first", "method": "GET", "path": "/"}\n\n' + line, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(TritonMigrateError) as raised:
        read_requests(file)
    assert what in raised.value.message
    assert (raised.value.file, raised.value.line) == (str(file), 3)


def test_a_file_without_requests_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n \n")
    for name, what in (("empty.jsonl", "no requests"), ("gone.jsonl", "No such file")):
        with pytest.raises(TritonMigrateError, match=what):
            read_requests(tmp_path / name)


# ------------------------------------------------------------------ comparison


@pytest.mark.parametrize(
    ("original", "port", "found"),
    [
        ({"a": [1, 0.5, None, True, "s"]}, {"a": [1, 0.5 + 1e-8, None, True, "s"]}, []),
        (1.0, 1, []),
        (float("nan"), float("nan"), []),
        (float("inf"), float("inf"), []),
        (1, 1.0, ["$: 1 != 1.0"]),
        (1, True, ["$: 1 != true"]),
        (1.0, True, ["$: 1.0 != true"]),
        (1, 2, ["$: 1 != 2"]),
        (1, "1", ['$: 1 != "1"']),
        (float("inf"), 1e300, ["$: Infinity != 1e+300"]),
        (float("nan"), None, ["$: NaN != null"]),
        (1e12, 1e12 + 1, []),
        (0.0, 1e-5, ["$: 0.0 != 1e-05"]),
        ({"scores": [{}, {"p": 0.91}]}, {"scores": [{}, {"p": 0.42}]}, ["$.scores[1].p: 0.91 != 0.42"]),
        ({"a": 1, "b": 2, "c": 3}, {"b": 4, "d": 5}, ["$.a: 1 != (missing)", "$.b: 2 != 4", "$.c: 3 != (missing)", "$.d: (missing) != 5"]),
        ([1, 2, 3], [1, 5], ["$.length: 3 != 2", "$[1]: 2 != 5"]),
        ({"a b": {"x": []}}, {"a b": {"x": {}}}, ['$["a b"].x: [] != {}']),
        (0.3333333432674408, 1 / 3, ["$: 0.3333333432674408 in float32 != 0.3333333333333333 in float64"]),
        (1 / 3, 0.3333333432674408, []),
        (0.3333333432674408, 0.3333333134651184, []),
        ([0.5, 12.375, 1e300], [0.5 + 1e-9, 12.375 + 1e-9, 1e300], []),
    ],
)
def test_json(original: object, port: object, found: list[str]) -> None:
    assert [str(d) for d in json_differences(original, port, 1e-6)] == found


def test_ignored_values_may_differ_but_must_be_there() -> None:
    original = {"t": 1, "in": {"t": 2, "id": 7}, "ids": [1, 2]}
    assert not list(json_differences(original, {"t": 9, "in": {"t": 8, "id": 7}, "ids": [1, 2]}, 0, ("t",)))
    assert [d.path for d in json_differences(original, {"in": {"t": 8, "id": 6}, "ids": [3, 4]}, 0, ("t", "$.ids[1]"))] == [
        "$.t",
        "$.in.id",
        "$.ids[0]",
    ]


def test_text_bytes_and_streams() -> None:
    assert not list(text_differences("a 0.50001 b\n1e-9", "a 0.5 b\n2e-9", 1e-3))
    assert [str(d) for d in text_differences("v1\nx 3\n0.5", "v2\nx 3\n0.7\nend", 1e-3)] == [
        "line 1: v1 != v2",
        "line 3: 0.5 != 0.7",
        "line 4: (missing) != end",
    ]
    assert [str(d) for d in bytes_differences(b"abc", b"abd!")] == ["length: 3 bytes != 4 bytes", "byte 2: 63 != 64 21"]
    assert not list(bytes_differences(b"", b""))
    assert not list(stream_differences((b"a 0.1", b"b"), (b"a 0.", b"1b", b""), 1e-6, 1))
    assert [d.path for d in stream_differences((b"a", b"b"), (b"ab",), 0, 1)] == ["chunks"]
    assert [d.path for d in stream_differences((b"ab",), (b"a", b"c"), 0, 3)] == ["chunks", "line 1"]


@pytest.mark.parametrize(
    ("content_type", "how"),
    [
        ("application/json", "json"),
        ("application/problem+json", "json"),
        ("text/html", "text"),
        ("image/svg+xml", "text"),
        ("text/event-stream", "stream"),
        ("image/png", "bytes"),
        ("", "bytes"),
    ],
)
def test_the_comparison_follows_what_the_original_answers(content_type: str, how: str) -> None:
    assert comparison_for(content_type) == how


def test_replies_differ_in_status_type_and_body(tmp_path: Path) -> None:
    def found(original: Reply, port: Reply, **fields: Any) -> list[str]:
        return [d.path for d in differences(recorded(tmp_path, **fields), original, port)]

    good = Reply(200, "application/json", "", (b'{"p": 0.5}',))
    assert found(good, good) == []
    assert found(good, Reply(200, "application/json", "", (b'{"p":', b" 0.6}"))) == ["$.p"]
    assert found(good, Reply(200, "application/json", "", (b'{"p": 0.6}',)), tol=0.2) == []
    assert found(good, Reply(200, "application/json", "", (b"oops",))) == ["$"]
    assert found(good, Reply(200, "text/html", "", good.chunks)) == ["content-type"]
    assert found(good, Reply(200, "application/json", "", (b'{"p":0.5}',)), compare="bytes") == ["length", "byte 5"]
    assert found(Reply(302, "", "/a"), Reply(302, "", "/b")) == ["location"]
    (down,) = differences(recorded(tmp_path), good, Reply(503, "text/plain", "", (b"no Triton\n",)))
    assert down == Difference("status", "200", "503 no Triton")
    (gone,) = differences(recorded(tmp_path), good, Reply(None, error="ConnectionError: refused"))
    assert gone.port == "ConnectionError: refused"


def test_headers_are_compared_by_name(tmp_path: Path) -> None:
    first = Reply(200, headers=(("set-cookie a", "1; Path=/"), ("set-cookie b", "2"), ("x-model", "v1"), ("x-model", "v2")))
    other = Reply(200, headers=(("retry-after", "1"), ("set-cookie a", "2; Path=/"), ("x-model", "v1")))
    assert [str(d) for d in differences(recorded(tmp_path), first, other)] == [
        "header retry-after: (missing) != 1",
        "header set-cookie a: 1; Path=/ != 2; Path=/",
        "header set-cookie b: 2 != (missing)",
        "header x-model: v1, v2 != v1",
    ]


def body(value: object, *headers: tuple[str, str]) -> Reply:
    return Reply(200, "application/json", "", (json.dumps(value).encode(),), headers=headers)


def test_what_varies_by_itself_is_named_and_has_to_stay_of_its_kind(tmp_path: Path) -> None:
    request = recorded(tmp_path)
    first = body({"took": 1.5, "jobs": [{"id": "a", "n": 1}, {"id": "b", "n": 2}], "tags": ["x"]}, ("x-request-id", "1"))
    again = body({"took": 1.7, "jobs": [{"id": "c", "n": 1}, {"id": "b", "n": 2}], "tags": ["y", "z"]}, ("x-request-id", "2"))
    places = varying(request, first, again)
    assert [v.place for v in places] == ["header x-request-id", "$.took", "$.jobs[*].id", "$.tags", "$.tags[*]"]

    def left(port: Reply) -> list[str]:
        return [str(d) for d in unexplained(differences(request, first, port), places)]

    alike = {"took": 9.25, "jobs": [{"id": "d", "n": 1}, {"id": "e", "n": 2}], "tags": []}
    assert left(body(alike, ("x-request-id", "3"))) == []
    assert left(body({**alike, "took": "9"}, ("x-request-id", "3"))) == ['$.took: 1.5 != "9"']
    assert left(body({**alike, "jobs": [{"n": 1}, {"id": "e", "n": 3}]}, ("x-request-id", "3"))) == [
        '$.jobs[0].id: "a" != (missing)',
        "$.jobs[1].n: 2 != 3",
    ]
    assert left(body({"jobs": alike["jobs"], "tags": []})) == ["header x-request-id: 1 != (missing)", "$.took: 1.5 != (missing)"]


def test_text_and_bytes_that_vary(tmp_path: Path) -> None:
    def left(kind: str, first: bytes, again: bytes, port: bytes) -> list[str]:
        request = recorded(tmp_path)
        replies = [Reply(200, kind, "", (content,)) for content in (first, again, port)]
        return [d.path for d in unexplained(differences(request, replies[0], replies[2]), varying(request, *replies[:2]))]

    assert left("text/html", b"a\nat 10:00\nb", b"a\nat 10:01\nb", b"a\nat 11:59\nc") == ["line 3"]
    assert left("text/plain", b"one", b"one\ntwo", b"a\nb\nc") == []
    assert left("image/png", b"\0\1\2", b"\0\1\3", b"\0\5\2\2") == []
    assert left("image/png", b"\0\1\2", b"\0\1\2", b"\0\1\3") == ["byte 2"]


def test_two_equal_failures_prove_nothing(tmp_path: Path) -> None:
    failed, refused, silent = Reply(500, "text/plain", "", (b"x",)), Reply(400, "text/plain", "", (b"x",)), Reply(None, error="refused")
    assert [d.path for d in differences(recorded(tmp_path), failed, failed)] == ["original"]
    assert [d.path for d in differences(recorded(tmp_path), silent, silent)] == ["original"]
    assert differences(recorded(tmp_path, expect_status=500), failed, failed) == ()
    assert differences(recorded(tmp_path), refused, refused) == ()
    (unexpected,) = differences(recorded(tmp_path, expect_status=200), refused, refused)
    assert unexpected == Difference("original", "400 x", "expect_status is 200")
    assert varying(recorded(tmp_path), failed, failed) == ()  # and failing twice explains nothing


def test_differences_are_capped(tmp_path: Path) -> None:
    replies = (Reply(200, "application/json", "", (json.dumps([i] * 500).encode(),)) for i in range(2))
    assert len(differences(recorded(tmp_path), *replies)) == 50


# ------------------------------------------------------------------ starting, sending


def test_flask_app_is_started_asked_and_stopped(tmp_path: Path, python: Path) -> None:
    root = tree(tmp_path / "app", {"app.py": FLASK})
    requests = read_requests(
        jsonl(
            tmp_path,
            {"id": "ok", "method": "POST", "path": "/double", "json": {"x": 4}},
            {"id": "bad", "method": "POST", "path": "/double"},
            {"id": "login", "method": "POST", "path": "/login", "form": {"user": "ada"}},
            {"id": "me", "method": "GET", "path": "/me"},
            {"id": "stream", "method": "GET", "path": "/stream"},
            {"id": "job", "method": "POST", "path": "/jobs", "poll": {"path": "/jobs/{job}", "field": "state", "until": ["DONE"]}},
        )
    )
    with up(root, WSGI, python) as app:
        with client(app.url) as session:
            ok, bad, login, me, stream, job = (r.reply for r in replay(requests, session, app.check))
            sent = wire(session.prepare(requests[3]))
            (lost,) = replay((recorded(tmp_path, path="/me", poll={"path": "/x", "field": "y", "until": [1]}),), session, app.check)
            loaded = drive(Target(app.port, wire(session.prepare(requests[5])), 202, requests[5].poll), 2, 0.1)
        leader = app.process.pid
        workers = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True).stdout.split()
    assert "gunicorn" in app.command.argv[2]
    assert (ok.status, ok.content_type, json.loads(ok.body)["result"]) == (200, "application/json", 8)
    assert (bad.status, json.loads(bad.body)) == (422, {"error": "x must be a number"})
    assert (login.status, login.location) == (302, "http://localhost/me")
    assert (me.body, b"Cookie: session=" in sent) == (b"hello ada", True)
    assert (len(stream.chunks), stream.content_type) == (3, "text/event-stream")
    assert json.loads(job.body) == {"submit": {"job": "j1"}, "final": {"state": "DONE", "result": [0.5]}}
    assert (lost.reply.status, str(lost.reply.error).startswith("JSONDecodeError: ")) == (None, True)
    assert (len(loaded.took) > 0, loaded.errors) == (True, 0)
    assert str(leader) in workers
    assert len(workers) >= 2
    with pytest.raises(ProcessLookupError):
        os.killpg(leader, 0)


def test_fastapi_factory_is_started(tmp_path: Path, python: Path) -> None:
    root = tree(tmp_path / "app", {"svc/__init__.py": "", "svc/main.py": FASTAPI})
    file = {"file": {"text": "four", "name": "a.txt", "type": "text/plain"}}
    request = recorded(tmp_path, method="POST", path="/length", query={"scale": 3}, files=file)
    with up(root, ASGI, python) as app, client(app.url) as session:
        assert json.loads(session.send(request).body) == {"name": "a.txt", "result": 24.0}
        assert app.command.argv[2:4] == ("uvicorn", "svc.main:create_app")


def bare_interpreter(folder: Path, *distributions: str) -> Path:
    """An interpreter that has these distributions of ours, and nothing else."""
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in distributions:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
            (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    return folder / "bin" / "python"


def test_flask_serves_where_gunicorn_is_not_installed(tmp_path: Path) -> None:
    python = bare_interpreter(tmp_path / "env", "flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker")
    root = tree(tmp_path / "app", {"app.py": FLASK})
    with up(root, WSGI, python) as app, client(app.url) as session:
        assert session.send(recorded(tmp_path, path="/me")).body == b"hello stranger"
        assert app.command.argv[2:5] == ("flask", "--app", "app:app")


def test_no_server_and_no_interpreter_are_told(tmp_path: Path) -> None:
    python = bare_interpreter(tmp_path / "env")
    for application, package in ((WSGI, "gunicorn"), (ASGI, "uvicorn")):
        with pytest.raises(TritonMigrateError, match=f"{package} is not installed for {python}") as raised:
            start_command(application, python, 1)
        assert "--python" in str(raised.value.hint)
    with pytest.raises(TritonMigrateError, match="does not run"):
        start_command(WSGI, tmp_path / "nowhere" / "python", 1)


@pytest.mark.parametrize(("application", "name"), [(WSGI, "app.py"), (ASGI, "svc/main.py")])
def test_an_app_that_dies_says_why(tmp_path: Path, python: Path, application: Application, name: str) -> None:
    root = tree(tmp_path / "app", {"svc/__init__.py": "", name: "import not_installed_here.sub"})
    with pytest.raises(TritonMigrateError) as raised, up(root, application, python):
        pass
    assert "the original exited with " in raised.value.message
    assert "ModuleNotFoundError: No module named 'not_installed_here'" in raised.value.message.split("\n")[0]
    assert "--python" in str(raised.value.hint)


def test_an_app_that_dies_over_a_request_is_named(tmp_path: Path) -> None:
    python = bare_interpreter(tmp_path / "env", "flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker")
    root = tree(tmp_path / "app", {"app.py": FLASK})
    with up(root, WSGI, python, "the port") as app, client(app.url) as session:
        reply = session.send(recorded(tmp_path, path="/exit"))
        assert (reply.status, bool(reply.error)) == (None, True)
        app.process.wait(180)
        with pytest.raises(TritonMigrateError, match="the port exited with 7"):
            replay((recorded(tmp_path, path="/me"),), session, app.check)


def test_what_ignores_sigterm_is_killed_with_its_children(tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = """
        import signal, subprocess, sys, uvicorn.server
        from fastapi import FastAPI
        uvicorn.server.HANDLED_SIGNALS = ()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"])
        app = FastAPI()

        @app.get("/child")
        def pid():
            return child.pid
    """
    monkeypatch.setattr("triton_migrate.verify.start.STOP_TIMEOUT", 0.2)
    root = tree(tmp_path / "app", {"main.py": stubborn})
    with up(root, Application("fastapi", "main:app", "asgi"), python) as app, client(app.url) as session:
        child = int(session.send(recorded(tmp_path, path="/child")).body)
    assert app.process.returncode == -signal.SIGKILL
    for _ in range(3600):  # the orphan is reaped by init, a moment later
        if not Path(f"/proc/{child}").exists() or "State:\tZ" in Path(f"/proc/{child}/status").read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child survived")


BY_HAND = {
    "flask": """
        from flask import Flask
        app = Flask(__name__)
        model = None

        @app.get("/child")
        def answer():
            return model

        if __name__ == "__main__":
            model = "made by hand"
            app.run(host="0.0.0.0", port=5000, debug=True)
    """,
    "fastapi": """
        import uvicorn
        from fastapi import FastAPI
        app = FastAPI()
        state = {}

        def load():
            state["model"] = "made by hand"

        @app.get("/child")
        def answer():
            return state["model"]

        if __name__ == "__main__":
            load()
            uvicorn.run(app, port=8000)
    """,
}


@pytest.mark.parametrize("framework", BY_HAND)
def test_an_app_that_prepares_itself_in_its_main_part_is_run_by_hand(tmp_path: Path, python: Path, framework: str) -> None:
    root = tree(tmp_path / "app", {"main.py": BY_HAND[framework]})
    (found,) = api.scan(root)["applications"]
    assert found["script"] == "main.py"
    application = Application(found["framework"], found["target"], found["server"], found["factory"], found["script"])
    with up(root, application, python) as app, client(app.url) as session:
        assert b"made by hand" in session.send(recorded(tmp_path, path="/child")).body
    assert app.command.server == "python main.py"


def test_a_main_part_that_only_serves_changes_nothing(tmp_path: Path) -> None:
    only = BY_HAND["flask"].replace('model = "made by hand"', 'print("serving")')
    (found,) = api.scan(tree(tmp_path / "app", {"main.py": only}))["applications"]
    assert found["script"] is None


def test_free_ports_differ() -> None:
    assert len(set(free_ports(5))) == 5


# ------------------------------------------------------------------ many at once


def test_a_crowd_fits_the_time_it_may_take() -> None:
    assert [Crowd.of(seconds) for seconds in (0.0, 0.1, 1.0, 60.0)] == [(32, 3), (32, 3), (20, 1), (4, 1)]


def test_clients_ask_at_the_same_time_and_neighbours_differ(tmp_path: Path) -> None:
    asked = tuple(recorded(tmp_path, id=name, method="POST", json=name) for name in "abc")
    waiting = threading.Barrier(4, timeout=180)

    def meet(handler: BaseHTTPRequestHandler) -> None:
        waiting.wait()  # nobody is answered before four are here
        sized(handler)

    with http_server(meet) as port, client(f"http://127.0.0.1:{port}") as session:
        answers = together(asked, session, Crowd(4, 2), lambda: None)
    assert [(a.request.id, a.reply.body) for a in answers] == [(name, b"ok") for name in "abbccaab"]


def test_clients_that_do_not_all_come_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triton_migrate.verify.together.GATHERED", 0.0)
    asked = (recorded(tmp_path, id="a", method="POST", json="a"),)
    said = "3 clients that ask at once were not all started within 0 s"
    with http_server(sized) as port, client(f"http://127.0.0.1:{port}") as session, pytest.raises(TritonMigrateError, match=said):
        together(asked, session, Crowd(3, 1), lambda: None)


@pytest.mark.parametrize(("resets", "status"), [(1, 200), (2, None)])
def test_a_connection_that_is_reset_is_tried_once_more(tmp_path: Path, resets: int, status: int | None) -> None:
    """A server closes a kept connection whenever it likes; one that does it again has no answer."""
    left = [resets]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if left[0]:
            left[0] -= 1
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            raise ConnectionResetError
        sized(handler)

    with http_server(answer) as port, client(f"http://127.0.0.1:{port}") as session:
        reply = session.send(recorded(tmp_path, id="a", method="POST", json=1))
    assert (reply.status, reply.error is None) == (status, status is not None)


def test_a_reply_that_never_ends_is_given_up(tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(b"1\r\nx\r\n")

    with http_server(endless) as port, client(f"http://127.0.0.1:{port}", timeout=2) as session:
        reply = session.send(recorded(tmp_path, id="a", method="POST", json=1))
    assert reply.status is None and reply.error == "EndlessError: the reply had not ended after 2 s"


def test_an_interpreter_without_the_client_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "triton_serving").mkdir()
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '{\"tritonclient\": null}'\n")
    python.chmod(0o755)
    refuse_without_client(tmp_path, python)  # nothing is ported, nothing is needed
    (tmp_path / "triton_serving" / "client.py").write_text("")
    refuse_without_client(tmp_path, Path(sys.executable))
    with pytest.raises(TritonMigrateError, match=r"the port needs tritonclient, which .*python -m pip install 'tritonclient"):
        refuse_without_client(tmp_path, python)


# ------------------------------------------------------------------ load


@contextmanager
def http_server(respond: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            respond(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def sized(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


def chunked(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: t\r\n\r\n")


def closing(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"ok")


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"


@pytest.mark.parametrize("respond", [sized, chunked, closing])
def test_load_reads_every_kind_of_reply(respond: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with http_server(respond) as port:
        measured = drive(Target(port, POST, 200), 3, 0.2)
    assert measured.errors == 0
    assert len(measured.took) >= 3
    assert measured.rps > 0
    assert 0 < measured.ms(50) <= measured.ms(99)


def test_load_counts_errors() -> None:
    with http_server(sized) as port:
        assert drive(Target(port, POST, 201), 2, 0.1).took == ()
    for broken in (free_ports(1)[0], None):
        with http_server(silent) as silent_port:
            measured = drive(Target(broken or silent_port, POST, 200), 2, 0.1)
        assert (measured.took, measured.errors >= 2) == ((), True)


def test_an_open_loop_sends_at_its_rate_and_counts_the_wait() -> None:
    slow = threading.Lock()

    def one_at_a_time(handler: BaseHTTPRequestHandler) -> None:
        with slow:
            time.sleep(0.05)
        sized(handler)

    with http_server(one_at_a_time) as port:
        measured = drive_at(Target(port, POST, 200), 40, 0.5)
        wrong = drive_at(Target(port, POST, 201), 20, 0.2)
    assert (len(measured.took), measured.errors) == (20, 0)
    assert measured.ms(95) > 200, "the last of 20 has waited for those before it, though they were sent on time"
    assert (wrong.took, wrong.errors) == ((), 4)


def test_what_a_load_costs_on_the_server_and_in_memory() -> None:
    before = (ModelStatistics("a", "1", 10, 10, 10, 0.1, 1.0),)
    after = (ModelStatistics("a", "1", 30, 30, 15, 0.3, 2.0), ModelStatistics("b", "1", 5, 5, 5, 0.05, 0.25))
    assert server_share(before, after) == ServerShare(10.0, 50.0, 2.5)
    assert server_share(after, after) is None
    here = memory(os.getpid(), os.getpid(), None)
    assert here.original > 10
    assert here.triton == 0.0


def test_load_compares_rounds() -> None:
    told: list[str] = []
    plan = LoadPlan(connections=2, others=(1,), rate=20, seconds=0.1, rounds=3, warmup=0.05)
    with http_server(sized) as original, http_server(chunked) as port:
        result = measure_load("a", Target(original, POST, 200), Target(port, POST, 200), plan, told.append)
        nothing = measure_load("a", Target(original, POST, 200), Target(port, POST, 500), plan, told.append)
    assert result is not None
    assert (result.request, result.connections, result.seconds, len(result.rounds)) == ("a", 2, 0.1, 3)
    assert result.ratio.rps == sorted(r.ratio for r in result.rounds)[1]
    assert (result.original.errors, result.port.errors) == (0, 0)
    assert min(result.original.rps, result.port.p50_ms, result.ratio.p99_ms, result.client_share) > 0
    assert [(level.connections, level.rate, level.port.errors) for level in result.levels] == [(1, None, 0), (2, 20, 0)]
    assert result.port.p50_ms <= result.port.p95_ms <= result.port.p99_ms
    assert nothing is None
    assert told[2].startswith("load 3/3: original ")
    assert "the port answered none" in told[-1]


# ------------------------------------------------------------------ the whole


def test_the_document_is_the_one_of_the_report() -> None:
    schema = json.loads((Path(sys.modules["triton_migrate"].__path__[0]) / "report" / "report.schema.json").read_text())
    same = RequestResult("a", "GET", "/", 200, 200, True, True, (), 1.5, 2.5)
    other = RequestResult("b", "GET", "/", 200, None, False, None, (Difference("$.x", "1", "2"),), 1.5, 2.5)
    verification = Verification((same, other), (), None, "python", "gunicorn 22", ("onnxruntime",))
    document = verification.as_document()
    Draft202012Validator({**schema["$defs"]["verification"], "$defs": schema["$defs"]}).validate(document)
    assert (document["equal"], document["total"], verification.passed) == (1, 2, False)
    assert document["requests"][1]["differences"] == [{"path": "$.x", "original": "1", "port": "2"}]
    assert json.loads(json.dumps(document)) == document
    bypassed = RequestResult("a", "GET", "/", 200, 200, True, False, (), 1.5, 2.5)
    assert not Verification((bypassed,), (), None, "", "", ()).passed
    assert Verification((same,), (), None, "", "", ()).passed
    unanswered = RequestResult("a", "GET", "/", 404, 404, True, None, (), 1.5, 2.5)
    assert not Verification((unanswered,), (), None, "", "", ()).passed


def test_usage_errors_come_before_anything_is_started(tmp_path: Path) -> None:
    file = jsonl(tmp_path, {"id": "a", "method": "GET", "path": "/"})
    nowhere = tmp_path / "nowhere"
    with pytest.raises(TritonMigrateError, match="no request has the id 'b'"):
        verify_port(nowhere, nowhere, WSGI, file, python=nowhere, load=LoadPlan(request="b"))


def ported(root: Path, files: dict[str, str]) -> Path:
    repository = "triton_serving/model_repository/double"
    return tree(root, {**files, f"{repository}/config.pbtxt": CONFIG, f"{repository}/1/model.py": MODEL})


def with_triton(source: str) -> str:
    return dedent(source) + dedent(TRITON_DOUBLE)


DOUBLES = (
    {"id": "small", "method": "POST", "path": "/double", "json": {"x": 1.5}, "infer": True, "ignore": ["server"]},
    {"id": "big", "method": "POST", "path": "/double", "json": {"x": 12.25}, "infer": True, "ignore": ["server"]},
    {"id": "refused", "method": "POST", "path": "/double", "json": {}, "expect_status": 422, "infer": True},
    {"id": "me", "method": "GET", "path": "/me"},
    {"id": "named", "method": "POST", "path": "/double", "json": {"x": 2.5}},
)


@pytest.mark.triton
def test_a_good_port_is_verified(tmp_path: Path, python: Path) -> None:
    original = tree(tmp_path / "original", {"app.py": FLASK})
    port = ported(tmp_path / "port", {"app.py": with_triton(FLASK)})
    told: list[str] = []
    plan = LoadPlan(connections=4, seconds=0.5, rounds=1, warmup=0.2)
    result = verify_port(original, port, WSGI, jsonl(tmp_path, *DOUBLES), python=python, load=plan, say=told.append)
    assert [str(d) for r in result.requests for d in r.differences] == []
    assert [(r.id, r.status_port, r.on_triton) for r in result.requests] == [
        ("small", 200, True),
        ("big", 200, True),
        ("refused", 422, None),
        ("me", 200, None),
        ("named", 200, None),
    ]
    assert (result.passed, result.equal, result.total, result.stand_ins) == (True, 5, 5, ())
    assert [r.varies for r in result.requests] == [(), (), (), (), ("$.server",)]
    assert result.together is not None
    assert (result.together.distinct, result.together.mixed_up, result.together.equal) == (3, (), result.together.sent)
    assert result.load is not None
    assert (result.load.request, result.load.original.errors, result.load.port.errors) == ("small", 0, 0)
    (model,) = result.models
    assert (model.name, model.requests > 2, model.inferences) == ("double", True, model.requests)
    assert result.server.startswith("gunicorn ")
    assert "running the app's own code, original and port, on this machine" in told


@pytest.mark.triton
def test_a_wrong_port_is_found(tmp_path: Path, python: Path) -> None:
    original = tree(tmp_path / "original", {"app.py": FLASK})
    wrong = with_triton(FLASK).replace('"big"', '"huge"').replace("422", "400").replace("hello", "{1/0}")
    port = ported(tmp_path / "port", {"app.py": wrong})
    told: list[str] = []
    result = verify_port(original, port, WSGI, jsonl(tmp_path, *DOUBLES), python=python, load=LoadPlan(request="big"), say=told.append)
    small, big, refused, me, _ = result.requests
    assert (small.equal, big.equal, refused.equal, me.equal, result.passed, result.load) == (True, False, False, False, False, None)
    assert [str(d) for d in big.differences] == ['$.label: "big" != "huge"']
    assert [(d.path, d.original[:3], d.port[:3]) for d in refused.differences] == [("status", "422", "400")]
    assert me.status_port == 500
    assert "the port failed at me; its log: ZeroDivisionError: division by zero" in told


@pytest.mark.triton
def test_a_port_that_goes_round_triton_is_found(tmp_path: Path, python: Path) -> None:
    files = {"svc/__init__.py": "", "svc/main.py": FASTAPI}
    original, port = tree(tmp_path / "original", files), ported(tmp_path / "port", files)
    upload = {"files": {"file": {"text": "four", "type": "text/plain"}}, "infer": True}
    file = jsonl(tmp_path, {"id": "upload", "method": "POST", "path": "/length", **upload})
    result = verify_port(original, port, ASGI, file, python=python)
    assert (result.equal, result.total, result.passed) == (1, 1, False)
    assert [r.on_triton for r in result.requests] == [False]
    assert [(m.name, m.requests) for m in result.models] == [("double", 0)]
