"""Takes a value, gives which part of the request it is: by its path, through parsers of raw bodies (`json.loads(request.data)`)."""

from __future__ import annotations

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Container
from triton_migrate.rulebook.paths import prefixes
from triton_migrate.rulebook.vocabulary import DataConvert, WebRequest

LOCATIONS = {
    "files": "file", "form": "form", "args": "query", "values": "query", "query": "query", "querystring": "query", "json": "json",
    "json_or_form": "json", "headers": "header", "cookies": "cookie", "view_args": "path", "path": "path",
}  # fmt: skip
PARSED = 3  # parsers around a body


def source_of(evaluator: Evaluator, expr: ir.Expr | None, frame: Frame, raw: str = "") -> tuple[str, ...]:
    """The sources of an expression whose elements are fields: `request.json`, `request.form`, `json.loads(request.data)`.

    `raw` is what raw bytes count as, for who parses them.
    """
    found: dict[str, None] = {}
    for value in evaluator.values(expr, frame):
        if isinstance(value, Api) and (source := fields_of(evaluator, value)):
            found[source] = None
        elif isinstance(value, Api) and raw and _of_request(evaluator, value, 0):
            found[raw] = None
        elif isinstance(value, Container) and isinstance(value.expr, ir.Mapping):  # `{**request.form}`
            whole = (v for k, v in zip(value.expr.keys, value.expr.values, strict=True) if k is None)
            found |= dict.fromkeys(s for inner in whole for s in source_of(evaluator, inner, value.frame))
    return tuple(found)


def fields_of(evaluator: Evaluator, api: Api, depth: int = 0) -> str:
    """The source that the elements of `api` are fields of, "" when they are none."""
    rule = evaluator.rulebook.find(api.path, WebRequest)
    if rule is not None:
        return rule.source if rule.fields else ""
    parser = evaluator.rulebook.find(api.path.removesuffix("()"), DataConvert) if api.path.endswith("()") else None
    place = evaluator.program.call_at(api.site) if parser is not None and parser.parses and depth < PARSED else None
    if place is None or parser is None or not place.call.args:
        return ""
    raw = evaluator.apis(place.call.args[0], evaluator.program.generic(place.scope))
    return parser.parses if any(_of_request(evaluator, a, depth) for a in raw) else ""


def _of_request(evaluator: Evaluator, api: Api, depth: int) -> bool:
    """Whether it is request data, or something made of it by its own methods (`request.data.decode()`)."""
    for head, _ in prefixes(api.path):
        rule = evaluator.rulebook.find(head, WebRequest)
        if rule is not None:
            return rule.source != "any"
    return bool(fields_of(evaluator, api, depth + 1))
