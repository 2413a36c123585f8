"""Takes a match of a route in a function that is handed the path and the handler, gives one match for each call of that function.

`def add(self, path, handler, **more): self.app.add_api_route(path, handler, **more)` registers what its callers say, each path with its own
handler; seen by itself it would register every path with every handler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.rulebook.vocabulary import WebRoute

DEEPEST = 3  # such functions around each other


def handed_on(matcher: Matcher, match: Match[WebRoute], depth: int = 0) -> Iterator[Match[WebRoute]]:
    """The match as each caller spells it, or as it is."""
    found = (
        [m for place in _calls(matcher, match.place.scope) if (m := _spelled(matcher, match, place)) is not None] if _asks(match) else []
    )
    if not found or depth == DEEPEST:
        yield match
        return
    for inner in found:
        yield from handed_on(matcher, inner, depth + 1)


def _asks(match: Match[WebRoute]) -> bool:
    """Whether the handler is a parameter of the function around, or what a decorator that this function returns is put on."""
    scope, call = match.place.scope, match.place.call
    if scope.kind != "function" or match.place.decorates is not None or match.rule.handler == "self":
        return False
    if match.rule.handler == "decorated":
        return any(isinstance(s, ir.Return) and s.value is call for s in flow.flatten(scope.function.body))
    handler = port(call, match.rule.handler)
    return isinstance(handler, ir.Name) and handler.id in _own(scope)


def _own(scope: Scope) -> set[str]:
    """The parameters that stand for the same all through the function."""
    return {p.name for p in scope.function.parameters} - flow.binds(scope.function.body)


def _calls(matcher: Matcher, scope: Scope) -> Iterator[tuple[CallPlace, bool]]:
    """The calls of the function, each with whether it is one on an object."""
    for place in matcher.program.calls(scope.name) if scope.kind == "function" else ():
        values = matcher.evaluator.values(place.call.func, matcher.program.generic(place.scope))
        targets = [t for value in values for t in matcher.evaluator.callables(value) if t.scope is scope]
        if targets:
            yield place, targets[0].receiver is not None


def _spelled(matcher: Matcher, match: Match[WebRoute], called: tuple[CallPlace, bool]) -> Match[WebRoute] | None:
    place, bound = called
    if match.rule.handler == "decorated" and place.decorates is None:
        return None
    function, own = match.place.scope.function, _own(match.place.scope)
    rest = function.parameters[1 if bound else 0 :]
    given = {p.name: p.default for p in rest if p.default is not None} | argument_map(rest, place.call)
    named = {p.name for p in rest if not p.kind.startswith("*")}
    further = tuple((k, v) for k, v in place.call.keywords if k is not None and k not in named)
    spread = {p.name for p in rest if p.kind == "**kwargs"}
    keywords: list[tuple[str | None, ir.Expr]] = []
    for key, value in match.place.call.keywords:
        if key is None and isinstance(value, ir.Name) and value.id in spread:
            keywords += further
        else:
            keywords.append((key, _put(value, given, own)))
    call = match.place.call
    args = tuple(_put(a, given, own) for a in call.args)
    spelled = ir.Call(place.call.at, call.func, args, tuple(keywords))
    matcher.evaluator.kept(spelled)
    return replace(match, place=CallPlace(spelled, place.scope, place.decorates))


def _put(expr: ir.Expr, given: dict[str, ir.Expr], own: set[str]) -> ir.Expr:
    """The expression with what the caller passes for the function's parameters."""
    match expr:
        case ir.Name(_, name) if name in own and name in given:
            return given[name]
        case ir.Joined(at, parts):
            return ir.Joined(at, tuple(_put(p, given, own) for p in parts))
        case ir.Operation(at, "Add", operands):
            return ir.Operation(at, "Add", tuple(_put(o, given, own) for o in operands))
    return expr
