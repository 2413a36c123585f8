"""Takes the routes that a scan found, and what the running original says of itself, gives the routes with the schemas of their fields.

An OpenAPI document names every field with its bounds; the form on an HTML page names them with their choices. Both know more than code
that is only read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from triton_migrate.verify.shapes import TEXT, Schema

DOCUMENTS: Final = ("/openapi.json", "/api/openapi.json", "/docs/openapi.json", "/api-spec.json", "/api/v1/openapi.json")
WHOLE: Final = "(body)"
PARAMETER: Final = re.compile(r"[<{](?:[^<>{}:]*:)?([^<>{}:]+)(?::[^<>{}]*)?[>}]")
DEEPEST: Final = 8  # references within references
FIELDS: Final = frozenset(("input", "select", "textarea"))
NUMERIC: Final = frozenset(("number", "range"))


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a request carries; `schema` None: only its name is known. The whole body is called `(body)`."""

    name: str
    source: str
    schema: Schema | None = field(default=None, hash=False)
    required: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """One entry: its path as written (`/items/<int:id>`, `/items/{id}`). `widths`: how long the rows are that its model takes."""

    id: str
    method: str
    path: str
    infers: bool
    fields: tuple[Field, ...]
    widths: tuple[int, ...] = ()


def declared(route: Route, document: Mapping[str, Any]) -> Route:
    """The route as an OpenAPI document describes it; unchanged where the document does not know it."""
    wanted = _bare(route.path)
    for path, operations in document.get("paths", {}).items():
        operation = operations.get(route.method.lower()) if _bare(path) == wanted else None
        if operation is not None:
            found = tuple(_fields(operation, operations, document))
            kept = tuple(f for f in route.fields if f.source == "path" or not found) if not _named(found, "path") else ()
            return replace(route, fields=(*kept, *found)) if found else route
    return route


def _named(fields: tuple[Field, ...], source: str) -> bool:
    return any(one.source == source for one in fields)


def _bare(path: str) -> str:
    return PARAMETER.sub("{}", path).rstrip("/")


def _fields(operation: Mapping[str, Any], beside: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Field]:
    for written in (*beside.get("parameters", ()), *operation.get("parameters", ())):
        parameter = _inlined(written, document)
        if "name" in parameter:
            yield Field(parameter["name"], parameter.get("in", "query"), parameter.get("schema", {}), parameter.get("required", False))
    body = _inlined(operation.get("requestBody", {}), document)
    for media, described in body.get("content", {}).items():
        schema = described.get("schema", {})
        source = "json" if "json" in media else "form" if media in ("multipart/form-data", "application/x-www-form-urlencoded") else None
        if source is None:
            continue
        properties = schema.get("properties")
        if properties is None:
            yield Field(WHOLE, source, schema, body.get("required", True))
        for name, one in (properties or {}).items():
            yield _field(name, source, one, name in schema.get("required", ()))
        return


def _field(name: str, source: str, schema: Schema, required: bool) -> Field:
    inner = schema.get("items", schema) if schema.get("type") == "array" else schema
    uploaded = source == "form" and (inner.get("format") == "binary" or "contentMediaType" in inner)
    return Field(name, "file", None, required) if uploaded else Field(name, source, schema, required)


def _inlined(value: Any, document: Mapping[str, Any], depth: int = 0) -> Any:
    """The same with its `$ref`s replaced by what they refer to; one that refers to itself ends in anything."""
    if isinstance(value, list):
        return [_inlined(item, document, depth) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(reference := value.get("$ref"), str):
        found: Any = document if depth < DEEPEST else {}
        for part in reference.lstrip("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, dict) else {}
        return _inlined(found, document, depth + 1)
    return {key: _inlined(item, document, depth) for key, item in value.items()}


def document_of(text: bytes) -> dict[str, Any]:
    """An OpenAPI document with its references inlined; empty where the text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict) or not isinstance(found.get("paths"), dict):
        return {}
    return {"paths": _inlined(found["paths"], found)}


@dataclass(frozen=True, slots=True)
class Form:
    """A form on a page: where it goes, and its fields."""

    method: str
    action: str
    fields: tuple[Field, ...]


class _Forms(HTMLParser):
    """Collects the forms of a page; what stands outside one belongs to none."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at, self.found = at, list[Form]()
        self.action: tuple[str, str] | None = None
        self.fields: dict[str, Field] = {}
        self.choosing = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = (given.get("method", "get").upper(), urlsplit(urljoin(self.at, given.get("action", ""))).path or "/")
            self.fields = {}
        elif self.action is not None and tag in FIELDS and (name := given.get("name")):
            self._field(tag, name, given)
        elif tag == "option" and self.choosing and given.get("value"):
            known = self.fields[self.choosing].schema or {}
            self._put(self.choosing, "form", {"enum": [*known.get("enum", ()), given["value"]]})

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.choosing = ""
        elif tag == "form" and self.action is not None:
            self.found.append(Form(*self.action, tuple(self.fields.values())))
            self.action = None

    def _field(self, tag: str, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if tag == "select":
            self.choosing = name
            self._put(name, "form", None)
        elif kind == "file":
            self._put(name, "file", None)
        elif kind in ("radio", "checkbox", "hidden"):
            known = self.fields[name].schema if name in self.fields else None
            self._put(name, "form", {"enum": [*(known or {}).get("enum", ()), given.get("value", "on")]})
        elif kind in NUMERIC:
            self._put(name, "form", {"type": "number" if given.get("step") else "integer", **_bounds(given)})
        elif kind not in ("submit", "button", "reset", "image"):
            self._put(name, "form", TEXT if tag == "textarea" else None)

    def _put(self, name: str, source: str, schema: Schema | None) -> None:
        self.fields[name] = Field(name, source, schema)


def _bounds(given: dict[str, str]) -> dict[str, float]:
    found = {}
    for attribute, keyword in (("min", "minimum"), ("max", "maximum")):
        try:
            found[keyword] = float(given[attribute])
        except (KeyError, ValueError):
            continue
    return found


def forms(page: str, at: str) -> tuple[Form, ...]:
    """The forms of the page that was answered at the path `at`."""
    parser = _Forms(at)
    parser.feed(page)
    return tuple(parser.found)


def with_forms(route: Route, known: tuple[Form, ...]) -> Route:
    """The route with the fields of the form that leads to it, and what else its code reads."""
    form = next((f for f in known if f.method == route.method and _bare(f.action) == _bare(route.path) and f.fields), None)
    if form is None:
        return route
    names = {one.name for one in form.fields}
    return replace(route, fields=(*form.fields, *(f for f in route.fields if f.name not in names and f.name != WHOLE)))
