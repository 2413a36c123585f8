"""Takes prepared HTTP/1.1 requests as bytes, gives their replies over one kept-alive connection, with as little CPU as asyncio allows.

Only the load uses it: the client shares the machine with what it measures, and the usual clients cost as much as a small model.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import requests

LIMIT = 1 << 20


class BadReplyError(Exception):
    """The server broke off, or sent no HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class WireReply:
    status: int
    body: bytes


def wire(prepared: requests.PreparedRequest) -> bytes:
    """The request as it goes on the wire."""
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    headers = "".join(f"{_text(name)}: {_text(value)}\r\n" for name, value in prepared.headers.items())
    return f"{prepared.method} {prepared.path_url} HTTP/1.1\r\n{headers}\r\n".encode("latin-1") + bytes(body)


def _text(part: str | bytes) -> str:
    return part if isinstance(part, str) else part.decode("latin-1")


class Connection:
    """One kept-alive connection to a port of this machine; opened when needed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> WireReply:
        """Send one request and read its reply. Raises BadReplyError or OSError."""
        reused = self.streams is not None
        try:
            return await self._exchange(request)
        except (BadReplyError, OSError):
            self.close()
            if not reused:  # an idle connection may be closed by the server at any time: once more, on a fresh one
                raise
        return await self._exchange(request)

    async def _exchange(self, request: bytes) -> WireReply:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=LIMIT)
        reader, writer = self.streams
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            status, fields = _head(head)
            body, ended = await _body(reader, status, fields, head_only=request.startswith(b"HEAD "))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as exc:
            self.close()
            raise BadReplyError(f"{type(exc).__name__}: {exc}") from exc
        if ended or fields.get(b"connection", b"").lower() == b"close":
            self.close()
        return WireReply(status, body)

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


def _head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *lines = head[:-4].split(b"\r\n")
    fields = (line.partition(b":") for line in lines)
    return int(first.split(b" ", 2)[1]), {name.lower(): value.strip() for name, _, value in fields}


async def _body(reader: asyncio.StreamReader, status: int, fields: dict[bytes, bytes], *, head_only: bool) -> tuple[bytes, bool]:
    """The body, and whether it ended with the connection (RFC 9112, 6.3)."""
    if head_only or status in (204, 304):
        return b"", False
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        return await _chunks(reader), False
    if b"content-length" in fields:
        return await reader.readexactly(int(fields[b"content-length"])), False
    return await reader.read(), True


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while (await reader.readline()).strip():  # trailers
        pass
    return b"".join(parts)
