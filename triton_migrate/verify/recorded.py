"""Takes what went over the wire, gives records of requests.jsonl and responses.jsonl: what a proxy saw, and what a HAR file holds.

Headers that carry credentials are never written; a replay that needs them gets them by hand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from triton_migrate.base import TritonMigrateError

CREDENTIALS = (
    "authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", "x-auth-token", "x-csrf-token", "x-amz-security-token",
)  # fmt: skip
# What a client sends of its own accord, or what replaying sets anew.
UNWRITTEN = frozenset((
    *CREDENTIALS, "accept", "accept-encoding", "accept-language", "connection", "content-length", "host", "keep-alive", "origin",
    "priority", "referer", "te", "transfer-encoding", "upgrade-insecure-requests", "user-agent",
))  # fmt: skip
# What a server says of itself, of the connection or of this one client.
UNANSWERED = frozenset((*CREDENTIALS, "connection", "content-length", "date", "keep-alive", "server", "set-cookie", "transfer-encoding"))
LARGEST = 1 << 20  # bytes of an answer that are kept
Headers = Iterable[tuple[str, str]]
Infers = Callable[[str, str], bool]  # method and path: whether a model is reached


def nothing_known(method: str, path: str) -> bool:
    """For requests to an application that was not scanned."""
    return False


def record(number: int, method: str, target: str, headers: Headers, body: bytes, status: int | None, infers: Infers) -> dict[str, Any]:
    """One line of requests.jsonl. `target` is path and query as they were sent; `status` what was answered."""
    kept = {name: value for name, value in headers if name.lower() not in UNWRITTEN and not name.startswith((":", "Sec-", "sec-"))}
    path = urlsplit(target).path
    made: dict[str, Any] = {"id": f"{number:04d}-{path.strip('/').replace('/', '-') or 'root'}", "method": method.upper(), "path": target}
    made |= _body(body, kept)
    if kept:
        made["headers"] = kept
    if status is not None:
        made["expect_status"] = status
    if infers(method.upper(), path) and (status is None or status < 400):
        made["infer"] = True
    return made


def response(name: str, status: int, headers: Headers, body: bytes, size: int) -> dict[str, Any]:
    """One line of responses.jsonl: what was answered to the request of that id. Of a larger body than LARGEST there is only its `size`."""
    kept = {header: value for header, value in headers if header.lower() not in UNANSWERED}
    made: dict[str, Any] = {"id": name, "status": status}
    made |= {"bytes": size} if size > len(body) else _body(body, kept)
    return made | ({"headers": kept} if kept else {})


def _body(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """As readable as can be sent again byte for byte or by its meaning; takes the type away that the field implies."""
    if not body:
        return {}
    named = next((name for name in headers if name.lower() == "content-type"), "")
    kind = headers.get(named, "").split(";")[0].strip().lower()
    try:
        if kind == "application/json":
            found = {"json": json.loads(body)}
        elif kind == "application/x-www-form-urlencoded":
            fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
            found = {"form": {name: values[0] if len(values) == 1 else values for name, values in fields.items()}}
        else:
            raise ValueError(kind)
    except ValueError:  # a broken body is one that the application has to answer, too
        return {"body_b64": base64.b64encode(body).decode()}
    del headers[named]
    return found


def har_records(archive: object, file: str, infers: Infers) -> Iterator[dict[str, Any]]:
    """The requests of a HAR file, which browsers and proxies write: those to the origin of its first."""
    entries = archive.get("log", {}).get("entries") if isinstance(archive, dict) else None
    if not isinstance(entries, list):
        raise TritonMigrateError("no HAR file: it has no log.entries", file=file, hint="export the requests of the browser as HAR")
    origin = ""
    for number, entry in enumerate(entries, 1):
        try:
            request, parts = entry["request"], urlsplit(entry["request"]["url"])
            body, method = _posted(request.get("postData") or {}), str(request["method"])
            headers = [(str(header["name"]), str(header["value"])) for header in request.get("headers", ())]
            status = int(entry.get("response", {}).get("status") or 0) or None
        except (AttributeError, KeyError, TypeError, ValueError) as trouble:
            raise TritonMigrateError(f"entry {number} is no HAR request: {trouble!r}", file=file) from trouble
        origin = origin or parts.netloc
        if parts.netloc == origin:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            yield record(number, method, target, headers, body, status, infers)


def _posted(sent: dict[str, Any]) -> bytes:
    text = sent.get("text") or ""
    return base64.b64decode(text) if sent.get("encoding") == "base64" else str(text).encode()
