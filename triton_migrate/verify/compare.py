"""Takes two replies to the same request, gives every `Difference` that a client could notice.

Floats may differ by `tol` (absolute plus relative), as a port moves a computation to another process and batch size; ints, strings,
keys and statuses may not. A float that is of single precision has to stay so, however close the wider one is: a computation that went
from float32 to float64 is another computation. Pure functions: nothing is sent here.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

from triton_migrate.verify.client import Reply
from triton_migrate.verify.records import Difference
from triton_migrate.verify.requests import RecordedRequest

CAP = 50
BY_CHANCE = 14  # bits: 0.5 and 12.375 fit float32, too
MISSING = "(missing)"
UNPROVEN = "original"  # the place of a difference that is none: there is nothing to compare with
NUMBER = re.compile(r"(-?\d+\.\d+(?:[eE][-+]?\d+)?|-?\d+[eE][-+]?\d+)")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def differences(request: RecordedRequest, original: Reply, port: Reply) -> tuple[Difference, ...]:
    """All differences of the port's reply (at most CAP), none when a client cannot tell the two apart."""
    return tuple(islice(_differences(request, original, port), CAP))


def _differences(request: RecordedRequest, original: Reply, port: Reply) -> Iterator[Difference]:
    if why := _unproven(request, original):
        yield Difference(UNPROVEN, _outcome(original), why)
    if original.status is None:
        return
    if original.status != port.status:
        yield Difference("status", _outcome(original), _outcome(port))
        return
    if original.content_type != port.content_type:
        yield Difference("content-type", original.content_type or MISSING, port.content_type or MISSING)
    if original.location != port.location:
        yield Difference("location", original.location or MISSING, port.location or MISSING)
    yield from header_differences(original.headers, port.headers)
    how = request.compare or comparison_for(original.content_type)
    if how == "stream":
        yield from stream_differences(original.chunks, port.chunks, request.tol, request.min_chunks)
    elif how == "json":
        yield from _json_bodies(original.body, port.body, request.tol, request.ignore)
    elif how == "text":
        yield from text_differences(original.body.decode(errors="replace"), port.body.decode(errors="replace"), request.tol)
    else:
        yield from bytes_differences(original.body, port.body)


def header_differences(original: tuple[tuple[str, str], ...], port: tuple[tuple[str, str], ...]) -> Iterator[Difference]:
    """Headers by name; several of one name, as cookies are, together."""
    before, after = _by_name(original), _by_name(port)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Difference(f"header {name}", clip(before.get(name, MISSING)), clip(after.get(name, MISSING)))


def _by_name(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name: ", ".join(value for other, value in headers if other == name) for name, _ in headers}


def _unproven(request: RecordedRequest, original: Reply) -> str | None:
    """Two equal failures prove nothing, so the original has to succeed, or to fail as recorded."""
    if original.status is None:
        return "the original gave no answer, so there is nothing to compare with"
    if request.expect_status is not None:
        return None if original.status == request.expect_status else f"expect_status is {request.expect_status}"
    return "the original itself failed (say so by expect_status if that is meant)" if original.status >= 500 else None


def _outcome(reply: Reply) -> str:
    if reply.status is None:
        return reply.error or "no answer"
    return str(reply.status) if reply.status < 400 else f"{reply.status} {clip(reply.body.decode(errors='replace').strip())}"


def comparison_for(content_type: str) -> str:
    """json | text | bytes | stream for a media type, where the request names none."""
    if content_type == "application/json" or content_type.endswith("+json"):
        return "json"
    if content_type in ("text/event-stream", "application/x-ndjson"):
        return "stream"
    return "text" if content_type.startswith("text/") or content_type.endswith(("xml", "javascript")) else "bytes"


def close(original: float, port: float, tol: float) -> bool:
    if not (math.isfinite(original) and math.isfinite(port)):
        return original == port or (math.isnan(original) and math.isnan(port))
    return abs(original - port) <= tol + tol * abs(original)


def _json_bodies(original: bytes, port: bytes, tol: float, ignore: tuple[str, ...]) -> Iterator[Difference]:
    try:
        expected = json.loads(original)
    except ValueError:
        yield from bytes_differences(original, port)
        return
    try:
        got = json.loads(port)
    except ValueError:
        yield Difference("$", shown(expected), f"not JSON: {clip(port.decode(errors='replace'))}")
        return
    yield from json_differences(expected, got, tol, ignore)


def json_differences(original: Any, port: Any, tol: float, ignore: tuple[str, ...] = (), path: str = "$") -> Iterator[Difference]:
    """Where two parsed JSON values differ, in document order: `$.scores[3].p`.

    `ignore` holds keys, or whole paths, whose values may be anything (they still have to be there). An int that became a float,
    a bool or a string differs, whatever its value; a float that became an equal int does not.
    """
    if isinstance(original, dict) and isinstance(port, dict):
        for key in [*original, *(k for k in port if k not in original)]:
            inner = f"{path}.{key}" if IDENTIFIER.fullmatch(key) else f"{path}[{json.dumps(key)}]"
            if key not in original or key not in port:
                yield Difference(inner, _member(original, key), _member(port, key))
            elif key not in ignore and inner not in ignore:
                yield from json_differences(original[key], port[key], tol, ignore, inner)
    elif isinstance(original, list) and isinstance(port, list):
        if len(original) != len(port):
            yield Difference(f"{path}.length", str(len(original)), str(len(port)))
        for index, (a, b) in enumerate(zip(original, port, strict=False)):
            if (inner := f"{path}[{index}]") not in ignore:
                yield from json_differences(a, b, tol, ignore, inner)
    elif not _same_scalar(original, port, tol):
        yield Difference(path, shown(original), shown(port))
    elif _widened(original, port):
        yield Difference(path, f"{shown(original)} in float32", f"{shown(port)} in float64")


def _member(owner: dict[str, Any], key: str) -> str:
    return shown(owner[key]) if key in owner else MISSING


def _same_scalar(original: Any, port: Any, tol: float) -> bool:
    if isinstance(original, float) and isinstance(port, int | float) and not isinstance(port, bool):
        return close(original, port, tol)
    return type(original) is type(port) and bool(original == port)


def _widened(original: Any, port: Any) -> bool:
    """Whether a number that was computed in float32 no longer is: it fits one, with more bits than a number that fits by chance."""
    if not (isinstance(original, float) and isinstance(port, float) and _fits_single(original)) or _fits_single(port):
        return False
    return not (original * 2**BY_CHANCE / 2.0 ** math.frexp(original)[1]).is_integer()


def _fits_single(value: float) -> bool:
    try:
        return bool(struct.unpack("f", struct.pack("f", value))[0] == value)
    except OverflowError:
        return False


def text_differences(original: str, port: str, tol: float) -> Iterator[Difference]:
    """Lines that differ in more than the decimals of a number."""
    for number, (a, b) in enumerate(zip_longest(original.split("\n"), port.split("\n")), 1):
        if a is None or b is None or not _same_line(a, b, tol):
            yield Difference(f"line {number}", _line(a), _line(b))


def _line(text: str | None) -> str:
    return MISSING if text is None else clip(text)


def _same_line(original: str, port: str, tol: float) -> bool:
    if original == port:
        return True
    a, b = NUMBER.split(original), NUMBER.split(port)  # text at even places, decimal numbers at odd ones
    if len(a) != len(b):
        return False
    return all(x == y or (i % 2 == 1 and close(float(x), float(y), tol)) for i, (x, y) in enumerate(zip(a, b, strict=True)))


def bytes_differences(original: bytes, port: bytes) -> Iterator[Difference]:
    if len(original) != len(port):
        yield Difference("length", f"{len(original)} bytes", f"{len(port)} bytes")
    at = next((i for i, (a, b) in enumerate(zip(original, port, strict=False)) if a != b), None)
    if at is not None:
        yield Difference(f"byte {at}", original[at : at + 16].hex(" "), port[at : at + 16].hex(" "))


def stream_differences(original: tuple[bytes, ...], port: tuple[bytes, ...], tol: float, min_chunks: int) -> Iterator[Difference]:
    """The text of all chunks, and that it still came in pieces. Where it was cut may differ: the network cuts as well."""
    wanted = max(min_chunks, min(len(original), 2))
    if len(port) < wanted:
        yield Difference("chunks", str(len(original)), f"{len(port)}, not streamed in {wanted} or more")
    yield from text_differences(b"".join(original).decode(errors="replace"), b"".join(port).decode(errors="replace"), tol)


def shown(value: Any) -> str:
    """A JSON value as short text; strings keep their quotes, for `1` is not `"1"`."""
    return clip(json.dumps(value, ensure_ascii=False))


def clip(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
