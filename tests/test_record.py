"""Recording: the proxy passes everything on and writes it down without credentials; HAR files are read; the whole is replayed."""

from __future__ import annotations

import base64
import http.client
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from test_report import sample
from test_verify import http_server

from triton_migrate import api
from triton_migrate.base import TritonMigrateError
from triton_migrate.report.matching import Infers, asked
from triton_migrate.report.pipelines import pipelines
from triton_migrate.verify.client import client
from triton_migrate.verify.record import Recorder, recording
from triton_migrate.verify.recorded import nothing_known, response
from triton_migrate.verify.recorded import record as line_of
from triton_migrate.verify.requests import read_requests
from triton_migrate.verify.start import free_ports

SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class App(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body[::-1])
        self.server.left -= 1

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), App)
server.left = 2
while server.left:
    server.handle_request()
"""


def infers(method: str, path: str) -> bool:
    return method == "POST" and path.startswith("/predict")


@contextmanager
def proxy(file: Path, upstream: int) -> Iterator[int]:
    with recording(Recorder(file, infers), upstream, 0) as port:
        yield port


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def until_written(file: Path, count: int) -> list[dict[str, Any]]:
    """An answer is written once it has gone out: the client may be here before."""
    for _ in range(1000):
        if len(found := lines(file)) == count:
            break
        time.sleep(0.1)
    return found


# ---------------------------------------------------------------- lines


def test_a_request_is_written_as_it_can_be_read_and_without_credentials() -> None:
    headers = [
        ("Host", "x"), ("Authorization", "Bearer s3cret"), ("Cookie", "session=s3cret"), ("X-API-Key", "s3cret"), ("User-Agent", "curl"),
        ("Content-Type", "application/json; charset=utf-8"), ("X-Tenant", "7"), ("Sec-Fetch-Mode", "cors"), (":authority", "x"),
    ]  # fmt: skip
    made = line_of(3, "post", "/predict/now?k=1", headers, b'{"x": [1, null]}', 200, infers)
    assert made == {
        "id": "0003-predict-now", "method": "POST", "path": "/predict/now?k=1", "json": {"x": [1, None]}, "headers": {"X-Tenant": "7"},
        "expect_status": 200, "infer": True,
    }  # fmt: skip
    assert "s3cret" not in json.dumps(made)


@pytest.mark.parametrize(
    ("kind", "body", "field", "value"),
    [
        ("application/json", b"{broken", "body_b64", base64.b64encode(b"{broken").decode()),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2&c=", "form", {"a": ["1", "2"], "b": "x y", "c": ""}),
        ("multipart/form-data; boundary=b", b"--b\r\n\xff\r\n--b--", "body_b64", base64.b64encode(b"--b\r\n\xff\r\n--b--").decode()),
        ("", b"\0", "body_b64", "AA=="),
    ],
)
def test_bodies(tmp_path: Path, kind: str, body: bytes, field: str, value: object) -> None:
    made = line_of(1, "POST", "/", [("Content-Type", kind)] if kind else [], body, 422, nothing_known)
    assert made[field] == value
    assert ("infer" in made, made["expect_status"]) == (False, 422)
    (tmp_path / "requests.jsonl").write_text(json.dumps(made))
    (request,) = read_requests(tmp_path / "requests.jsonl")
    assert request.body == (b"a=1&a=2&b=x+y&c=" if field == "form" else body)
    assert not kind or dict(request.headers)["Content-Type"] == kind


def test_an_answer_is_written_without_cookies_and_a_large_one_by_its_size() -> None:
    headers = [("Content-Type", "application/json"), ("Set-Cookie", "session=s3cret"), ("X-Model", "v2"), ("Date", "now")]
    assert response("0001-x", 200, headers, b'{"label": "cat"}', 16) == {
        "id": "0001-x", "status": 200, "json": {"label": "cat"}, "headers": {"X-Model": "v2"},
    }  # fmt: skip
    assert response("0001-x", 200, [], b"abc", 9_000_000) == {"id": "0001-x", "status": 200, "bytes": 9_000_000}


# ---------------------------------------------------------------- the proxy


def test_the_proxy_passes_on_what_it_writes_down(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(201)
        handler.send_header("X-Seen", handler.headers["Authorization"])
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    file = tmp_path / "new" / "requests.jsonl"
    with http_server(answer) as upstream, proxy(file, upstream) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for body in (b'{"x": 1}', iter([b'{"x"', b": 2}"])):  # sized, then chunked
            headers = {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
            connection.request("POST", "/predict", body, headers, encode_chunked=not isinstance(body, bytes))
            reply = connection.getresponse()
            assert (reply.status, reply.getheader("X-Seen"), reply.read()) == (201, "Bearer s3cret", b"onetwo")
        connection.close()
    first, second = lines(file)
    assert (first["json"], second["json"], first["infer"], first["expect_status"]) == ({"x": 1}, {"x": 2}, True, 201)
    assert "s3cret" not in file.read_text()
    assert [request.id for request in read_requests(file)] == ["0001-predict", "0002-predict"]
    answers = until_written(file.with_name("responses.jsonl"), 2)
    assert [(a["id"], a["status"], a["body_b64"]) for a in answers] == [(r, 201, "b25ldHdv") for r in ("0001-predict", "0002-predict")]


def test_an_application_that_does_not_answer_is_no_request(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    with proxy(file, free_ports(1)[0]) as port, client(f"http://127.0.0.1:{port}") as session:
        (tmp_path / "one.jsonl").write_text('{"id": "a", "method": "GET", "path": "/"}')
        assert session.send(read_requests(tmp_path / "one.jsonl")[0]).status == 502
    assert lines(file) == []


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with (
        proxy(tmp_path / "a", 1) as port,
        pytest.raises(TritonMigrateError, match=f"port {port} cannot be listened on"),
        recording(Recorder(tmp_path / "b", infers), 1, port),
    ):
        pass


def test_a_command_is_recorded_until_it_ends(tmp_path: Path) -> None:
    app, out, told, answers = tmp_path / "app", tmp_path / "out", [], []
    app.mkdir()
    (app / "server.py").write_text(SERVER)
    upstream, listen = free_ports(2)

    def say(line: str) -> None:
        told.append(line)
        if line.startswith("recording"):
            threading.Thread(target=ask, daemon=True).start()

    def ask() -> None:
        """At once: what comes while the application starts is answered when it is up."""
        for _ in range(2):
            sent = urllib.request.Request(f"http://127.0.0.1:{listen}/predict", b"abc", method="POST")
            answers.append(urllib.request.urlopen(sent, timeout=240).read())

    command = (sys.executable, "server.py", str(upstream))
    file = api.record(app, command, out=out, upstream=upstream, listen=listen, say=say)
    assert file == out / "requests.jsonl"
    assert answers[:1] == [b"cba"]
    assert [(line["path"], line["expect_status"]) for line in lines(file)] == [("/predict", 200)] * 2
    assert told[-2].startswith("2 requests in ") and told[-1] == "no values were seen: no model is reached"
    assert not (out / "observed.jsonl").exists()
    with pytest.raises(TritonMigrateError, match="cannot run nothing-of-that-name"):
        api.record(app, ("nothing-of-that-name",), out=out, upstream=1, listen=listen, say=told.append)


# ---------------------------------------------------------------- HAR, and what reaches a model


def test_a_har_file_is_read(tmp_path: Path) -> None:
    def entry(url: str, method: str = "GET", **post: str) -> dict[str, Any]:
        headers = [{"name": "content-type", "value": post["mimeType"]}] if post else []
        return {"request": {"method": method, "url": url, "headers": headers, "postData": post}, "response": {"status": 200}}

    file = tmp_path / "site.har"
    entries = [
        entry("https://site.example/"),
        entry("https://cdn.example/x.css"),
        entry("https://site.example/predict?k=2", "POST", mimeType="application/json", text='{"x": 1}'),
        entry("https://site.example/up", "POST", mimeType="image/png", text="iVBORw==", encoding="base64"),
    ]
    file.write_text(json.dumps({"log": {"entries": entries}}))
    page, predict, up = read_requests(file, infers)
    assert (page.target, page.infer, page.expect_status) == ("/", False, 200)
    assert (predict.target, predict.body, predict.infer) == ("/predict?k=2", b'{"x": 1}', True)
    assert (up.body, up.infer) == (b"\x89PNG", False)
    for text, why in (("{", "not JSON"), ("{}", "no HAR file"), ('{"log": {"entries": [{}]}}', "entry 1 is no HAR request")):
        file.write_text(text)
        with pytest.raises(TritonMigrateError, match=why):
            read_requests(file)


def test_a_request_finds_its_route() -> None:
    report = sample("support_desk")
    rows = pipelines(report)
    found = asked("POST", "/tickets/17/suggest?x=1", rows)
    assert found is not None
    assert found.entry == "POST /tickets/{ticket_id}/suggest"
    assert [Infers(report)(*request) for request in (("POST", "/embed"), ("GET", "/embed"), ("POST", "/embed/x"))] == [True, False, False]
