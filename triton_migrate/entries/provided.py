"""Takes a program, gives what frameworks hand to handlers by the names of their parameters (`dependencies={"model": Provide(load)}`)."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import UserFunction
from triton_migrate.rulebook.vocabulary import FlowCall, WebApp


def provided(matcher: Matcher) -> dict[str, tuple[UserFunction, ...]]:
    """The functions that make what a parameter of that name gets, wherever a framework in use is told so."""
    found: dict[str, tuple[UserFunction, ...]] = {}
    for word in sorted({match.rule.provides for match in matcher.find(WebApp, inherited=True)} - {""}):
        for mapping, frame in _told(matcher, word):
            for key, value in zip(mapping.keys, mapping.values, strict=True):
                name = matcher.evaluator.constant(key, frame)
                if isinstance(name, str):
                    found[name] = (*found.get(name, ()), *_functions(matcher, value, frame))
    return found


def _told(matcher: Matcher, word: str) -> Iterator[tuple[ir.Mapping, Frame]]:
    for file in matcher.program.files.values():
        for place in (p for places in file.calls.values() for p in places):
            for key, value in place.call.keywords:
                if key == word and isinstance(value, ir.Mapping):
                    yield value, matcher.program.generic(place.scope)
        for scope in file.scopes:
            for binding in scope.bindings.get(word, ()) if scope.kind == "class" else ():
                if isinstance(binding.expr, ir.Mapping):
                    yield binding.expr, matcher.program.generic(scope)


def _functions(matcher: Matcher, expr: ir.Expr, frame: Frame) -> Iterator[UserFunction]:
    """`Provide(load)` and `load` itself."""
    wrapped = isinstance(expr, ir.Call) and any(matcher.rulebook.find(a.path, FlowCall) for a in matcher.evaluator.apis(expr.func, frame))
    inner = expr.args[0] if wrapped and isinstance(expr, ir.Call) and expr.args else expr
    yield from (v for v in matcher.evaluator.values(inner, frame) if isinstance(v, UserFunction))
