"""Takes a place that names an object, gives whether the name still (or already) means that object there.

The evaluator gives every value that a name ever has. `bp = Blueprint("a", ...)`, its routes, `bp = Blueprint("b", ...)`, its routes, and
`register_blueprint(bp)` would serve both; straight-line code at module level tells which assignment is meant, so there it counts.
"""

from __future__ import annotations

from typing import NamedTuple

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, FileScopes, Scope
from triton_migrate.resolve.values import Module, Site

Position = tuple[int, int]


class _Span(NamedTuple):
    """From where to where, in the module, a name means one object; `until` None: to the end, so for functions and other modules too."""

    name: str
    since: Position
    until: Position | None


class Rebinding:
    """Knows the module-level names that are assigned several times, one statement after another; filled once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.program = evaluator, evaluator.program
        self._spans = {site: span for path, file in self.program.files.items() for site, span in _spans(path, file)}

    def means(self, expr: ir.Expr | None, site: Site | None, place: CallPlace) -> bool:
        """Whether `expr`, written in a call at `place`, may be what was made at `site`."""
        span = self._spans.get(site) if site is not None else None
        if span is None or site is None or self._named(expr, place.scope) != span.name:
            return True
        if place.scope.kind != "module" or place.scope.file != site.file:
            return span.until is None
        at: Position = place.call.at[:2]
        return span.since <= at and (span.until is None or at < span.until)

    def _named(self, expr: ir.Expr | None, scope: Scope) -> str:
        """What the module calls that which `expr` takes from it; "" where it comes another way, as by a parameter."""
        match expr:
            case ir.Name(_, name):
                at: Scope | None = scope
                while at is not None and name not in at.bindings:
                    at = at.parent
                bindings = at.bindings[name] if at is not None else []
                imported = [b.imported[1] for b in bindings if b.how == "from"]
                return imported[0] if imported else name if at is not None and at.kind == "module" else ""
            case ir.Attribute(_, value, attr):
                owners = self.evaluator.values(value, self.program.generic(scope))
                return attr if any(isinstance(v, Module) for v in owners) else ""
        return ""


def _spans(path: str, file: FileScopes) -> list[tuple[Site, _Span]]:
    plain: dict[str, list[ir.Call]] = {}
    for stmt in file.facts.body:
        if isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Call):
            for target in stmt.targets:
                if isinstance(target, ir.Name):
                    plain.setdefault(target.id, []).append(stmt.value)
    found: list[tuple[Site, _Span]] = []
    for name, made in plain.items():
        if len(made) > 1 and len(made) == len(file.module.bindings[name]) and name not in file.global_bindings:
            starts: list[Position] = [call.at[:2] for call in made]
            spans = zip(made, starts, [*starts[1:], None], strict=True)
            found += [(Site(path, call.at), _Span(name, since, until)) for call, since, until in spans]
    return found
