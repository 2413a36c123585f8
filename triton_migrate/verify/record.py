"""Takes a command that starts an app and the port it listens on, gives requests.jsonl and responses.jsonl, which a proxy before it writes.

The proxy sees what the app sees, whatever it is written in, and the app is not touched. Streams are passed on as they come.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from triton_migrate.base import TritonMigrateError
from triton_migrate.verify.recorded import LARGEST, Infers, record, response

HOST, RESPONSES = "127.0.0.1", "responses.jsonl"
HOP = frozenset(("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"))
PIECE = 1 << 16
STOPPING = 15.0  # seconds
STARTING = 120.0  # seconds that a request waits for an application that has not answered yet: its models are being loaded


class Recorder:
    """Writes one line a request, and one an answer that has ended, each in their order; safe for threads."""

    def __init__(self, file: Path, infers: Infers) -> None:
        self.file, self.infers, self.lock, self.count = file, infers, threading.Lock(), 0
        file.parent.mkdir(parents=True, exist_ok=True)
        self.responses = file.with_name(RESPONSES)
        for each in (file, self.responses):
            each.write_text("", encoding="utf-8")

    def asked(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes, status: int) -> str:
        """Gives the request's id."""
        with self.lock:
            self.count += 1
            made = record(self.count, method, target, headers, body, status, self.infers)
            _append(self.file, made)
            return str(made["id"])

    def answered(self, name: str, reply: http.client.HTTPResponse, body: bytes, size: int) -> None:
        with self.lock:
            _append(self.responses, response(name, reply.status, reply.getheaders(), body, size))


def _append(file: Path, made: dict[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(made, ensure_ascii=False) + "\n")


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorder: Recorder
    upstream: int
    until: float

    def _reached(self) -> http.client.HTTPConnection:
        """A connection to the application, which may still be starting."""
        while True:
            connection = http.client.HTTPConnection(HOST, self.upstream, timeout=300)
            try:
                connection.connect()
            except ConnectionRefusedError:
                if self.recorder.count or time.monotonic() > self.until:
                    raise
                time.sleep(0.1)
            else:
                return connection

    def do_any(self) -> None:
        body = self._chunks() if self.headers.get("Transfer-Encoding", "").lower() == "chunked" else self._sized()
        sent = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP]
        connection = None
        try:
            connection = self._reached()
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent:
                if name.lower() != "content-length":
                    connection.putheader(name, value)
            if body or self.command in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            name = self.recorder.asked(self.command, self.path, sent, body, reply.status)
            self.recorder.answered(name, reply, *self._pass_on(reply))
        except (OSError, http.client.HTTPException) as trouble:
            self.close_connection = True
            self.send_error(502, f"the application does not answer: {trouble}")
        finally:
            if connection is not None:
                connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_any  # noqa: N815

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    def _pass_on(self, reply: http.client.HTTPResponse) -> tuple[bytes, int]:
        """The answer, piece by piece where its length is not known; gives its beginning and its size."""
        kept, size = bytearray(), 0
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        bare = self.command == "HEAD" or reply.status in (204, 304)
        chunked = reply.getheader("Content-Length") is None and not bare
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not bare and (piece := reply.read1(PIECE)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            self.wfile.flush()
            kept += piece[: LARGEST - len(kept)]
            size += len(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        return bytes(kept), size

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def recording(recorder: Recorder, upstream: int, listen: int, *, starting: float = 0.0) -> Iterator[int]:
    """The proxy, up on loopback; gives its port (`listen` 0: any free one). The app may take `starting` seconds to listen."""
    known = {"recorder": recorder, "upstream": upstream, "until": time.monotonic() + starting}
    try:
        server = ThreadingHTTPServer((HOST, listen), type("Proxy", (_Proxy,), known))
    except OSError as trouble:
        hint = "choose another with --listen"
        raise TritonMigrateError(f"port {listen} cannot be listened on: {trouble.strerror}", hint=hint) from trouble
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _stop(process: subprocess.Popen[bytes], name: str, say: Callable[[str], None]) -> None:
    """As Ctrl-C asks: it has the time to end by itself."""
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        say(f"{name} has not ended after {STOPPING:.0f} s: it is killed")
        process.kill()
        process.wait()


def record_app(
    root: Path,
    command: tuple[str, ...],
    file: Path,
    *,
    upstream: int,
    listen: int,
    infers: Infers,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Run `command` in `root` until it ends (Ctrl-C ends it), recording to `file`; gives the number of requests.

    `env` is what its environment has besides ours.
    """
    recorder = Recorder(file, infers)
    with recording(recorder, upstream, listen, starting=STARTING) as port:
        say(f"recording: send requests to http://{HOST}:{port}, which passes them on to port {upstream}; Ctrl-C ends it")
        try:
            process = subprocess.Popen(command, cwd=root, env={**os.environ, **env})
        except OSError as trouble:
            raise TritonMigrateError(
                f"cannot run {command[0]}: {trouble.strerror}", hint=f"put the command after --; it is run in {root}"
            ) from trouble
        try:
            process.wait()
        except KeyboardInterrupt:
            _stop(process, command[0], say)
    say(f"{recorder.count} requests in {file}; headers that carry credentials are left out, bodies and queries are not")
    return recorder.count
