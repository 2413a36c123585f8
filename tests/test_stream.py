"""Streams on the real Triton: the port sends the same pieces in the same order, each before the next is made, to many clients at once.

What comes first is shown by what has happened, never by the clock: the application waits for files that the test makes.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.server import Ports, Triton, running
from triton_migrate.verify.start import Application, free_ports, running_app, start_command

PYTHON = Path(sys.executable)
PORTS = Path(__file__).parent / "ports"
STREAMS = 16  # what one instance answers at once

pytestmark = pytest.mark.triton


@dataclass(frozen=True)
class Ported:
    """An application beside its port, whose models a Triton serves."""

    original: Path
    port: Path
    application: Application
    requests: tuple[dict[str, Any], ...]
    triton: Triton


@contextmanager
def ported(name: str, folder: Path, **how: Any) -> Iterator[Ported]:
    case = json.loads((PORTS / name / "case.json").read_text())
    original, port = folder / "original", folder / "port"
    for tree in (original, port):
        shutil.copytree(PORTS / name / "app", tree)
    report = api.apply(port, out=folder / "out", write=True, **how)
    assert report["not_ported"] == []
    for tree in (original, port):
        subprocess.run([sys.executable, PORTS / name / "make_models.py"], cwd=tree, check=True)
    found = report["applications"][0]
    application = Application(found["framework"], found["target"], found["server"], found["factory"])
    with running(port, python=PYTHON, ports=Ports.free(), say=lambda line: None) as triton:
        yield Ported(original, port, application, tuple(case["requests"]), triton)


@contextmanager
def app(tree: Path, application: Application, url: str = "") -> Iterator[int]:
    """The application of a tree, started; gives its port."""
    (port,) = free_ports(1)
    command = start_command(application, PYTHON, port)
    with running_app(tree.name, tree, command, port, {"TRITON_URL": url} if url else {}):
        yield port


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ported]:
    with ported("stream_fastapi_tokens", tmp_path_factory.mktemp("tokens")) as found:
        yield found


class Reply:
    """An answer that is read as it comes: `next` is the body of one chunk of the HTTP connection."""

    def __init__(self, port: int, method: str, path: str, body: Any = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=240)
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        self.answer = self.connection.getresponse()
        self.status, self.type = self.answer.status, self.answer.getheader("content-type")

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        assert self.answer.fp is not None
        line = self.answer.fp.readline()
        if not line:
            raise ConnectionError("the answer is cut off")
        size = int(line, 16)
        data = self.answer.fp.read(size)
        self.answer.fp.readline()
        if not size:
            raise StopIteration
        return data

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def whole(port: int, request: dict[str, Any]) -> tuple[int, str | None, list[bytes], bool]:
    """Status, media type, the chunks, and whether the answer came to its end."""
    reply = Reply(port, request["method"], request["path"], request.get("json"))
    if not reply.answer.chunked:
        return reply.status, reply.type, [reply.answer.read()], True
    found: list[bytes] = []
    try:
        found += iter(reply)
    except ConnectionError:
        return reply.status, reply.type, found, False
    finally:
        reply.close()
    return reply.status, reply.type, found, True


BROKEN = {"method": "POST", "path": "/generate", "json": {"text": "h3llo"}}


def urls(triton: Triton) -> tuple[str, ...]:
    return triton.url, f"grpc://{triton.grpc_url}", "local"


def test_chunks_are_those_of_the_original(tokens: Ported) -> None:
    requests = (*tokens.requests, BROKEN)
    with app(tokens.original, tokens.application) as port:
        was = [whole(port, request) for request in requests]
    assert [len(chunks) for _, _, chunks, _ in was] == [1, 12, 40, 1, 13, 2, 1, 3, 0]
    assert was[-1][0] == 200 and not was[-1][3], "an error before the first chunk breaks off the original's answer, too"
    for url in urls(tokens.triton):
        with app(tokens.port, tokens.application, url) as port:
            assert [whole(port, request) for request in requests] == was, url


@pytest.mark.parametrize(
    ("name", "how", "models"),
    [
        ("stream_flask_words", {}, ("continue_text_words", "score_rows")),
        ("stream_fastapi_speech", {"cut": "pipeline"}, ("speech_service_stream",)),
    ],
)
def test_chunks_of_other_applications(name: str, how: dict[str, Any], models: tuple[str, ...], tmp_path: Path) -> None:
    with ported(name, tmp_path, **how) as found:
        assert found.triton.models == models
        with app(found.original, found.application) as port:
            was = [whole(port, request) for request in found.requests]
        assert any(len(chunks) > 1 for _, _, chunks, _ in was)
        for url in urls(found.triton):
            with app(found.port, found.application, url) as port:
                assert [whole(port, request) for request in found.requests] == was, url


def go_on(gate: Path, upto: int, first: int = 1) -> None:
    for number in range(first, upto + 1):
        Path(f"{gate}.{number}").touch()


@pytest.mark.parametrize("which", [0, 1, 2], ids=["http", "grpc", "local"])
def test_each_piece_arrives_before_the_next_is_made(tokens: Ported, which: int, tmp_path: Path) -> None:
    with app(tokens.port, tokens.application, urls(tokens.triton)[which]) as port:
        alone = Reply(port, "GET", f"/steps?text=hello&gate={tmp_path / 'alone'}")
        pieces = [next(alone)]
        for number in range(1, 5):
            go_on(tmp_path / "alone", number, number)
            pieces.append(next(alone))
        go_on(tmp_path / "alone", 50)
        pieces += alone
        assert len(pieces) == 50

        together = [Reply(port, "GET", f"/steps?text=hello&gate={tmp_path / 'all'}") for _ in range(8)]
        begun = [next(reply) for reply in together]  # each is under way while none can go on
        go_on(tmp_path / "all", 50)
        with ThreadPoolExecutor(8) as pool:
            ended = list(pool.map(list, together))
    assert [[one, *rest] for one, rest in zip(begun, ended, strict=True)] == [pieces] * 8


@pytest.mark.parametrize("which", [0, 1], ids=["http", "grpc"])
def test_a_client_that_leaves_frees_the_model(tokens: Ported, which: int, tmp_path: Path) -> None:
    with app(tokens.port, tokens.application, urls(tokens.triton)[which]) as port:
        leaving = [Reply(port, "GET", f"/steps?text=hello&gate={tmp_path / 'left'}") for _ in range(STREAMS)]
        for reply in leaving:
            next(reply)
            reply.close()
        for number in range(1, 50):  # a stream that nobody stops waits for ever for the file that is not made, the last
            go_on(tmp_path / "left", number, number)
            time.sleep(0.02)
        _until_stopped(port, tmp_path)
        tokens.triton.refuse_dead()
        again = whole(port, {"method": "POST", "path": "/events", "json": {"text": "hello"}})
    assert again[0] == 200 and again[3] and len(again[2]) == 13


def _until_stopped(port: int, folder: Path) -> None:
    """All places of the model are free again: as many streams as it has are under way at once."""
    replies = [Reply(port, "GET", f"/steps?text=hello&gate={folder / 'new'}") for _ in range(STREAMS)]
    barrier = threading.Barrier(STREAMS)

    def ask(reply: Reply) -> int:
        found = [next(reply)]
        barrier.wait(240)
        go_on(folder / "new", 50)
        return len([*found, *reply])

    with ThreadPoolExecutor(STREAMS) as pool:
        assert list(pool.map(ask, replies)) == [50] * STREAMS


def test_without_triton_the_route_answers_503(tokens: Ported) -> None:
    (nobody,) = free_ports(1)
    with app(tokens.port, tokens.application, f"http://127.0.0.1:{nobody}") as port:
        for request in tokens.requests[1:2] + tokens.requests[4:5]:
            status, _, (body,), _ = whole(port, request)
            assert (status, json.loads(body)) == (503, {"detail": "model server unavailable"})
        assert whole(port, tokens.requests[0])[0] == 200
