"""Takes an expression, gives the fields of the request that it reads, or the whole of a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Literal
from triton_migrate.rulebook.vocabulary import (
    WebRequest,
)
from triton_migrate.trace.records import InputOrigin
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def whole(walk: Walk, expr: ir.Expr, frame: Frame) -> Taint:
    """Request data read as a whole (`request.get_json()`, `request.data`), or by a call for one field (`walk.get_argument("x")`)."""
    taint = CLEAN
    for rule in walk.shared.asked(expr, frame):
        if rule.name and isinstance(expr, ir.Call):
            taint |= named(walk, rule.source, port(expr, rule.name), frame)
        else:
            taint |= _whole(walk, rule)
    return taint


def handed(walk: Walk, scope: Scope, parameter: str) -> Taint:
    """Request data that a framework hands to a parameter without saying so: the message that a socket's method gets."""
    given = (v for v in walk.evaluator.assumed.get((scope, parameter), ()) if isinstance(v, Api))
    rules = (walk.rulebook.find(api.path, WebRequest) for api in given)
    return CLEAN.union(*(_whole(walk, rule) for rule in rules if rule is not None))


def _whole(walk: Walk, rule: WebRequest) -> Taint:
    if rule.source in ("any", "method"):
        return CLEAN
    origin = InputOrigin(rule.source, "")
    walk.whole.setdefault(rule.source, origin)
    return _input(walk, origin)


def fields(walk: Walk, base: ir.Expr, index: ir.Expr | None, frame: Frame) -> Taint:
    """One field of request data (`request.form["x"]`, `data.get("x")`)."""
    return CLEAN.union(*(named(walk, source, index, frame) for source in walk.shared.sources(base, frame)))


def named(walk: Walk, source: str, name: ir.Expr | None, frame: Frame) -> Taint:
    names = (v.value for v in walk.evaluator.values(name, frame) if isinstance(v, Literal) and isinstance(v.value, str))
    return CLEAN.union(*(_input(walk, InputOrigin(source, n)) for n in names))


def _input(walk: Walk, origin: InputOrigin) -> Taint:
    if walk.step is not None:
        walk.step.inputs.add(origin)
    return walk.origins.taint(origin)
