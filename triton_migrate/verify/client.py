"""Takes recorded requests and an app's address, gives `Reply`s: a browser-like session (kept-alive, with cookies) that follows nothing.

`requests` does it because apps with a login need a cookie jar, uploads need multipart, and streams need the chunks as they came.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import RemoteDisconnected
from typing import Any

import requests

from triton_migrate.verify.requests import Poll, RecordedRequest

TIMEOUT = 120.0
POLL_EVERY = 0.05
# One name for both sides: the ports differ, and apps put their own address into links and redirects.
HOST = "localhost"
# Of the connection, of the server or of the clock, or a field of `Reply`; a cookie's value may be signed with the time.
UNCOMPARED = frozenset((
    "age", "alt-svc", "connection", "content-length", "content-type", "date", "etag", "expires", "keep-alive", "last-modified", "location",
    "server", "set-cookie", "transfer-encoding", "via",
))  # fmt: skip
SETS = frozenset(("allow", "cache-control", "vary"))  # what they list has no order


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `status` None: no answer, and `error` says why. A polled job's body is `{"submit": …, "final": …}`.

    `headers` are those that have no field of their own, in lower case and in order; each cookie is one, `set-cookie NAME`.
    """

    status: int | None
    content_type: str = ""
    location: str = ""
    chunks: tuple[bytes, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class JobTimeoutError(Exception):
    """A polled job did not end in time."""


class EndlessError(Exception):
    """A reply did not end in time."""


class Client:
    """One client of one app; make it with `client()`."""

    def __init__(self, url: str, session: requests.Session, timeout: float) -> None:
        self.url, self.session, self.timeout = url, session, timeout

    def prepare(self, request: RecordedRequest) -> requests.PreparedRequest:
        """The request as it goes out now, with the cookies this session holds."""
        headers = {"Host": HOST, **dict(request.headers)}
        return self.session.prepare_request(requests.Request(request.method, self.url + request.target, headers, data=request.body))

    def send(self, request: RecordedRequest) -> Reply:
        """Send, read all, poll where the request says so. Trouble on the wire is a Reply without status."""
        return self.send_prepared(request, self.prepare(request))

    def send_prepared(self, request: RecordedRequest, prepared: requests.PreparedRequest) -> Reply:
        """The same with what `prepare` made, by this client or by another whose cookies it shall have."""
        started = time.perf_counter()
        try:
            reply = self._reached(prepared)
            if request.poll and reply.status is not None and reply.status < 400:
                reply = replace(reply, chunks=(self._job(request.poll, reply.body),))
        except (requests.RequestException, EndlessError, JobTimeoutError, ValueError, LookupError) as exc:
            reply = Reply(None, error=f"{type(exc).__name__}: {exc}"[:300])
        return replace(reply, seconds=time.perf_counter() - started)

    def _reached(self, prepared: requests.PreparedRequest) -> Reply:
        """The reply; once more on a fresh connection where the server has closed the kept one, as it may at any time."""
        try:
            return self._exchange(prepared)
        except requests.ConnectionError as trouble:
            if not _dropped(trouble):
                raise
        self.session.close()  # the pool; the session goes on
        return self._exchange(prepared)

    def _exchange(self, prepared: requests.PreparedRequest) -> Reply:
        with self.session.send(prepared, stream=True, timeout=self.timeout, allow_redirects=False) as answer:
            return Reply(
                answer.status_code,
                content_type=answer.headers.get("Content-Type", "").split(";")[0].strip().lower(),
                location=answer.headers.get("Location", ""),
                chunks=tuple(self._pieces(answer)),
                headers=_headers(answer),
            )

    def _pieces(self, answer: requests.Response) -> Iterator[bytes]:
        """The body as it was sent, one piece per HTTP chunk; an answer that never ends is given up."""
        deadline = time.monotonic() + self.timeout
        for piece in answer.iter_content(None):
            yield piece
            if time.monotonic() > deadline:
                raise EndlessError(f"the reply had not ended after {self.timeout:.0f} s")

    def _job(self, poll: Poll, submitted: bytes) -> bytes:
        first = json_object(submitted)
        url, deadline = self.url + poll.path.format(**first), time.monotonic() + poll.timeout
        while True:
            state = json_object(self.session.get(url, headers={"Host": HOST}, timeout=self.timeout).content)
            if state.get(poll.field) in poll.until:
                return json.dumps({"submit": first, "final": state}).encode()
            if time.monotonic() > deadline:
                raise JobTimeoutError(f"{poll.field} is still {state.get(poll.field)!r} after {poll.timeout:.0f} s")
            time.sleep(POLL_EVERY)


def _dropped(trouble: BaseException) -> bool:
    """Whether a connection was closed by the other side before it said anything."""
    inner = (part for part in (*trouble.args, trouble.__cause__) if isinstance(part, BaseException))
    return isinstance(trouble, (ConnectionResetError, BrokenPipeError, RemoteDisconnected)) or any(map(_dropped, inner))


def _headers(answer: requests.Response) -> tuple[tuple[str, str], ...]:
    plain = {(name.lower(), _value(name.lower(), value)) for name, value in answer.headers.items() if name.lower() not in UNCOMPARED}
    cookies = {_cookie(text) for text in answer.raw.headers.getlist("set-cookie")}
    return tuple(sorted(plain | cookies))


def _cookie(text: str) -> tuple[str, str]:
    """What a cookie holds and for whom: attributes have no order, and the moment it expires is always another."""
    pair, *attributes = (part.strip() for part in text.split(";"))
    name, _, value = pair.partition("=")
    return f"set-cookie {name}", "; ".join((value, *sorted(a for a in attributes if not a.lower().startswith("expires="))))


def _value(name: str, value: str) -> str:
    if name in SETS or name.startswith("access-control-"):
        return ", ".join(sorted(part.strip() for part in value.split(",")))
    return value.strip()


def json_object(body: bytes) -> dict[str, Any]:
    """A body that has to be a JSON object, as those of polled jobs. Raises ValueError."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("a JSON object was expected")
    return found


@contextmanager
def client(url: str, *, timeout: float = TIMEOUT) -> Iterator[Client]:
    """A session with the app at `url` (no trailing slash), closed at the end: an open one would hold up the app's shutdown."""
    with requests.Session() as session:
        session.trust_env = False  # no proxies, no .netrc: this is loopback
        session.headers["Accept-Encoding"] = "identity"  # compare what the app wrote, chunk by chunk
        yield Client(url, session, timeout)
