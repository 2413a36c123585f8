"""Takes a JSONL or HAR file of recorded requests, gives `RecordedRequest`s ready to send.

Every line is checked (`requests.schema.json`) and encoded here, once: both sides and the load get the same bytes, and a bad line
is an error with its line number before anything is started.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from triton_migrate.base import TritonMigrateError
from triton_migrate.verify.recorded import Infers, har_records, nothing_known

BODIES = ("json", "form", "files", "body_b64")


@dataclass(frozen=True, slots=True)
class Poll:
    """After the reply, GET `path` (`{name}` = that field of the reply) until `field` is one of `until`."""

    path: str
    field: str
    until: tuple[Any, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as a client sends it, and how its replies are to be compared.

    `target` is path and query as they go on the wire; `path` as it was written. `compare` None: by what the original answers.
    """

    id: str
    method: str
    path: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    expect_status: int | None
    compare: str | None
    tol: float
    ignore: tuple[str, ...]
    infer: bool
    poll: Poll | None
    min_chunks: int
    line: int
    guessed: bool = False  # made up, so that it reaches a model is a guess


def read_requests(path: Path, infers: Infers = nothing_known) -> tuple[RecordedRequest, ...]:
    """All requests of the file, in order. Raises TritonMigrateError naming the file and the first line that is wrong.

    `infers` says which requests of a HAR file reach a model; lines of JSONL say so themselves.
    """
    seen: dict[str, int] = {}
    found = []
    for line, record in _archived(path, infers) if path.suffix.lower() == ".har" else _records(path):
        request = encoded(record, path, line)
        if request.id in seen:
            raise _wrong(f"id {request.id!r} is taken by line {seen[request.id]}", path, line, "give every request its own id")
        seen[request.id] = line
        found.append(request)
    if not found:
        raise TritonMigrateError("no requests in this file", file=str(path), hint='one JSON object a line: {"id", "method", "path", …}')
    return tuple(found)


def _archived(path: Path, infers: Infers) -> Iterator[tuple[int, dict[str, Any]]]:
    """The requests of a HAR file, numbered."""
    try:
        archive = json.loads(path.read_bytes())
    except OSError as exc:
        raise TritonMigrateError(f"cannot read the recorded requests: {exc.strerror}", file=str(path), hint="--requests FILE") from exc
    except ValueError as exc:
        raise TritonMigrateError(f"not JSON: {exc}", file=str(path), hint="export the requests of the browser as HAR") from exc
    yield from enumerate(har_records(archive, str(path), infers), 1)


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise TritonMigrateError(f"cannot read the recorded requests: {exc.strerror}", file=str(path), hint="--requests FILE") from exc
    # Not str.splitlines: it also splits at U+2028 and its like, which JSON strings may hold.
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as exc:
            raise _wrong(f"not JSON: {exc}", path, number, "one JSON object a line") from exc
        if error := best_match(Draft202012Validator(_schema()).iter_errors(record)):
            where = "".join(f"{part}: " for part in error.absolute_path)
            raise _wrong(f"{where}{error.message}", path, number, _hint(error.validator))
        yield number, record


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files(__package__).joinpath("requests.schema.json").read_text("utf-8"))
    return schema


def _hint(broken_rule: object) -> str | None:
    if broken_rule == "additionalProperties":
        return "known fields: " + ", ".join(_schema()["properties"])
    return None


def encoded(record: dict[str, Any], path: Path, line: int) -> RecordedRequest:
    """One line as it is sent; files are looked up beside `path`."""
    bodies = [name for name in BODIES if name in record]
    if len(bodies) > 1 and bodies != ["form", "files"]:
        raise _wrong(f"more than one body: {', '.join(bodies)}", path, line, "json, body_b64, or form and files together")
    sent = _encode(record, path, line)
    poll = record.get("poll")
    parts = urlsplit(sent.url or "")
    return RecordedRequest(
        id=record["id"],
        method=record["method"].upper(),
        path=record["path"],
        target=parts.path + (f"?{parts.query}" if parts.query else ""),
        headers=tuple(sent.headers.items()),
        body=sent.body.encode() if isinstance(sent.body, str) else sent.body or b"",
        expect_status=record.get("expect_status"),
        compare=record.get("compare"),
        tol=record.get("tol", 1e-6),
        ignore=tuple(record.get("ignore", ())),
        infer=record.get("infer", False),
        poll=None if poll is None else Poll(poll["path"], poll["field"], tuple(poll["until"]), poll.get("timeout", 60.0)),
        min_chunks=record.get("min_chunks", 1),
        line=line,
        guessed=record.get("guessed", False),
    )


def _encode(record: dict[str, Any], path: Path, line: int) -> requests.PreparedRequest:
    """Body and headers by `requests`' own rules; the host is never dialled."""
    headers = dict(record.get("headers", {}))
    data: Any = record.get("form")
    if "json" in record:  # by hand, for `requests` takes None for "no body" and refuses NaN
        data = json.dumps(record["json"]).encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    if "body_b64" in record:
        try:
            data = base64.b64decode(record["body_b64"], validate=True)
        except binascii.Error as exc:
            raise _wrong(f"body_b64: {exc}", path, line, "standard base64 without line breaks") from exc
    request = requests.Request(
        record["method"],
        "http://localhost" + record["path"],
        params=record.get("query"),
        headers=headers,
        data=data,
        files=list(_uploads(record.get("files", {}), path, line)) or None,
    )
    try:
        return request.prepare()
    except (requests.RequestException, ValueError) as exc:
        raise _wrong(f"cannot be sent: {exc}", path, line, None) from exc


def _uploads(fields: dict[str, Any], path: Path, line: int) -> Iterator[tuple[str, tuple[str, bytes, str]]]:
    for name, uploads in fields.items():
        for upload in uploads if isinstance(uploads, list) else [uploads]:
            kind = upload.get("type", "application/octet-stream")
            if "text" in upload:
                yield name, (upload.get("name", name), upload["text"].encode(), kind)
                continue
            source = path.parent / upload["path"]
            try:
                content = source.read_bytes()
            except OSError as exc:
                raise _wrong(f"files.{name}: {upload['path']}: {exc.strerror}", path, line, f"relative to {path.parent}") from exc
            yield name, (upload.get("name", source.name), content, kind)


def _wrong(message: str, path: Path, line: int, hint: str | None) -> TritonMigrateError:
    return TritonMigrateError(message, file=str(path), line=line, hint=hint)
