"""Takes a route with its fields, gives requests that may be right, plain ones first; from one that was right, more; and wrong ones.

Only the original can say which is right: `trial` asks it. What it says of a wrong one (a width, a missing key) makes the next better.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from triton_migrate.verify.learned import Learned
from triton_migrate.verify.samples import Sample
from triton_migrate.verify.shapes import FILES, INTEGER, NUMBER, TEXT, WIDTH, Schema, fit, guessed, kinds, sample
from triton_migrate.verify.told import PARAMETER, WHOLE, Field, Route

Record: TypeAlias = dict[str, Any]  # a line of requests.jsonl; files as `Sample`s
Shapes: TypeAlias = dict[Field, Schema]
WIDTHS: Final = (WIDTH, 2, 3, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 30)
BODIES: Final = ("json", "form", "file", "raw-body")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to fill the fields: which schema each is taken to have, and in what kind of body it goes."""

    shapes: tuple[tuple[Field, Schema], ...]
    body: str

    def values(self, number: int) -> dict[Field, Any]:
        """Plain values, others for another number; the path stays, for what it names has to be there."""
        numbered = ((field, schema, 0 if field.source == "path" else number) for field, schema in self.shapes)
        return {field: _value(field, schema, turn, at) for at, (field, schema, turn) in enumerate(numbered)}


def candidates(route: Route, learned: Learned) -> Iterator[Candidate]:
    """All ways to try, the likeliest first."""
    names = {field.name for field in route.fields}
    source = next((f.source for f in route.fields if f.source in BODIES), "json")
    added = tuple(Field(name, "json" if source == "raw-body" else source, None) for name in learned.names if name not in names)
    fields = (*(f for f in route.fields if not (added and f.name == WHOLE)), *added)
    for body in _bodies(route, fields):
        kept = tuple(f for f in fields if f.source not in BODIES or f.source in _parts(body))
        yield from (Candidate(tuple(shapes.items()), body) for shapes in _ways(kept, route, learned))


def _bodies(route: Route, fields: tuple[Field, ...]) -> tuple[str, ...]:
    if route.method == "GET":
        return ("",)
    there = {"form" if field.source in ("file", "any") else field.source for field in fields} & set(BODIES)
    return tuple(body for body in ("json", "form", "raw-body") if body in there) or ("",)


def _parts(body: str) -> tuple[str, ...]:
    return ("form", "file") if body == "form" else (body,)


def _ways(fields: tuple[Field, ...], route: Route, learned: Learned) -> Iterator[Shapes]:
    """Every field by its schema or by its name; then those without a schema otherwise: all alike, then one by one."""
    known = learned.schemas
    first = {field: known.get(field.name) or field.schema or _guess(field) for field in fields}
    yield first
    if any(not field.required for field in fields):
        yield {field: schema for field, schema in first.items() if field.required}
    loose = [field for field in fields if field.schema is None and field.name not in known]
    widths = tuple(dict.fromkeys((*learned.widths, *route.widths, *WIDTHS)))
    here = {field.name for field in fields}
    columns = {name: known.get(name) or guessed(name) for name in (*learned.names, *known, *learned.siblings) if name not in here}
    others = {field: tuple(_kinds(field, widths, columns, learned.columns)) for field in loose}
    for number in range(max((len(found) for found in others.values()), default=0)):
        yield first | {field: found[min(number, len(found) - 1)] for field, found in others.items()}
    if len(loose) > 1:
        yield from (first | {field: schema} for field, found in others.items() for schema in found)


def _guess(field: Field) -> Schema:
    if field.name == WHOLE:
        return {"type": "string", "format": "image"} if field.source == "raw-body" else guessed("features")
    return guessed(field.name, file=field.source == "file")


def _kinds(field: Field, widths: tuple[int, ...], columns: Mapping[str, Schema], filed: tuple[str, ...]) -> Iterator[Schema]:
    if field.source == "file" or (field.source == "raw-body" and field.name == WHOLE):
        yield from ({"type": "string", "format": kind} for kind in FILES)
        if filed:
            yield {"type": "string", "format": "table", "columns": filed}
    elif field.source == "json":
        yield from kinds(field.name, widths, columns)
    else:  # what a form, a path or a query says is text, of which some reads as a number
        yield from (guessed(field.name), INTEGER, NUMBER, TEXT)


def _value(field: Field, schema: Schema, number: int, position: int) -> Any:
    kind = schema.get("format", "")
    if field.source in ("file", "raw-body") and kind in FILES:
        return sample(schema, number)
    value = fit(schema, field.name, number, position)
    return value if field.source == "json" else ", ".join(map(str, value)) if isinstance(value, list) else value


def record(route: Route, body: str, values: dict[Field, Any]) -> Record:
    """The line of requests.jsonl that carries these values."""
    made: Record = {"method": route.method, "path": _path(route.path, values)}
    by_source = {
        source: {f.name: value for f, value in values.items() if f.source == source and value is not None}
        for source in ("query", "form", "json", "file", "header", "cookie", "any", "raw-body")
    }
    by_source["query" if route.method == "GET" else "form"] |= by_source["any"]
    if by_source["query"]:
        made["query"] = {name: _plain(value) for name, value in by_source["query"].items()}
    headers = {name: str(value) for name, value in by_source["header"].items()}
    if cookies := by_source["cookie"]:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if headers:
        made["headers"] = headers
    if body == "json":
        made["json"] = by_source["json"].get(WHOLE, by_source["json"])
    elif body == "form":
        form = {name: _plain(value) for name, value in by_source["form"].items()}
        made |= {key: value for key, value in (("form", form), ("files", by_source["file"])) if value}
    elif body == "raw-body":
        made |= _raw(next(iter(by_source["raw-body"].values()), b""), headers)
    return made


def _raw(value: object, headers: dict[str, str]) -> Record:
    kind = value.media_type if isinstance(value, Sample) else "text/plain"
    content = value.content if isinstance(value, Sample) else str(value).encode()
    return {"headers": {"Content-Type": kind, **headers}, "body_b64": b64encode(content).decode()}


def _plain(value: object) -> str | float:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, (int, float)) else str(value)


def _path(path: str, values: dict[Field, Any]) -> str:
    given = {field.name: value for field, value in values.items() if field.source == "path"}
    return PARAMETER.sub(lambda found: str(given.get(found[1].strip(), 1)), path)


def wrong(route: Route, right: Candidate) -> Iterator[tuple[str, Record]]:
    """Requests that a careful application refuses, each with a word for what is wrong about it."""
    values = right.values(0)
    inside = [field for field in values if field.source in (*_parts(right.body), "query")]
    for field in [f for f in inside if f.required][:2]:
        yield f"no-{field.name.strip('()')}", record(route, right.body, {f: v for f, v in values.items() if f is not field})
    for field in inside[:2]:
        if field.source == "file":
            broken = Sample("broken.png", "image/png", b"\x89PNG\r\n\x1a\n, and no more")
            yield f"broken-{field.name}", record(route, right.body, {**values, field: broken})
        else:
            yield f"odd-{field.name.strip('()')}", record(route, right.body, {**values, field: _odd(values[field])})
    if right.body == "json":
        plain = record(route, "", {f: v for f, v in values.items() if f.source == "path"})
        yield "no-json", {**plain, "headers": {"Content-Type": "application/json"}, "body_b64": b64encode(b'{"').decode()}


def _odd(value: object) -> object:
    """A value of another kind."""
    return {"unexpected": True} if isinstance(value, (str, list)) else "no number"
