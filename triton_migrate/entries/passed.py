"""Takes a match of a route in a function that is handed the path and the handler, gives one match for each call of that function.

`def add(self, path, handler, **more): self.app.add_api_route(path, handler, **more)` registers what its callers say, each path with its own
handler; seen by itself it would register every path with every handler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triton_migrate.entries.loops import put
from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher, last_of
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.rulebook.vocabulary import WebRoute

DEEPEST = 3  # such functions around each other


def handed_on(matcher: Matcher, match: Match[WebRoute], depth: int = 0) -> Iterator[Match[WebRoute]]:
    """The match as each caller spells it, or as it is."""
    asked = _asked(match)
    calls = list(_calls(matcher, asked)) if asked is not None and depth < DEEPEST else []
    found = [_spelled(match, asked, place, bound) for place, bound in calls if asked is not None]
    spelled = [inner for inner in found if inner is not None]
    if not spelled:
        yield match
    for inner in spelled:
        if _named(matcher, inner):
            yield from handed_on(matcher, inner, depth + 1)


def _asked(match: Match[WebRoute]) -> Scope | None:
    """The function whose callers say what is registered: it gets the handler, or gives the decorator that does."""
    scope, call = match.place.scope, match.place.call
    if scope.kind != "function" or match.place.decorates is not None or match.rule.handler == "self":
        return None
    if match.rule.handler != "decorated":
        handler = port(call, match.rule.handler)
        return scope if isinstance(handler, ir.Name) and handler.id in _own(scope) else None
    if _returned(call, scope):
        return scope
    around, outer = _put_on(call, scope), scope.parent
    if around is None or around not in _own(scope) or outer is None or outer.kind != "function":
        return None
    named = (s.value for s in flow.flatten(outer.function.body) if isinstance(s, ir.Return))
    return outer if any(isinstance(value, ir.Name) and value.id == scope.name for value in named) else None


def _returned(call: ir.Call, scope: Scope) -> bool:
    stmts = flow.flatten(scope.function.body) if scope.kind == "function" else ()
    return any(isinstance(s, ir.Return) and s.value is not None and s.value.at == call.at for s in stmts)


def _put_on(decorator: ir.Call, scope: Scope) -> str | None:
    """What a decorator is put on by hand: "f" of `router.get(path)(f)`."""
    for stmt in flow.flatten(scope.function.body):
        for part in flow.own(stmt):
            if isinstance(part, ir.Call) and part.func.at == decorator.at and part.args and isinstance(part.args[0], ir.Name):
                return part.args[0].id
    return None


def _own(scope: Scope) -> set[str]:
    """The parameters that stand for the same all through the function."""
    return {p.name for p in scope.function.parameters} - flow.binds(scope.function.body)


def _remade(scope: Scope, name: str) -> ir.Comprehension | None:
    """`urls = [scoped(url) for url in urls]`: what a parameter is from then on."""
    match [b.expr for b in scope.bindings.get(name, ()) if b.how in ("parameter", "value")]:
        case [None, ir.Comprehension(_, "list", _, _, ((ir.Name(), ir.Name(_, source), ()),)) as remade] if source == name:
            return remade
    return None


def _calls(matcher: Matcher, scope: Scope) -> Iterator[tuple[CallPlace, bool]]:
    """The calls of the function, each with whether it is one on an object."""
    for place in matcher.program.calls(scope.name):
        values = matcher.evaluator.values(place.call.func, matcher.program.generic(place.scope))
        targets = [t for value in values for t in matcher.evaluator.callables(value) if t.scope is scope]
        if targets:
            yield place, targets[0].receiver is not None


def _spelled(match: Match[WebRoute], asked: Scope, place: CallPlace, bound: bool) -> Match[WebRoute] | None:
    if match.rule.handler == "decorated" and place.decorates is None and not _returned(place.call, place.scope):
        return None
    function, own = asked.function, _own(asked)
    rest = function.parameters[1 if bound else 0 :]
    told = {p.name: p.default for p in rest if p.default is not None} | argument_map(rest, place.call)
    given = {name: value for name, value in told.items() if name in own}
    named = {p.name for p in rest if not p.kind.startswith("*")}
    further = tuple((k, v) for k, v in place.call.keywords if k is not None and k not in named)
    spread = {p.name for p in rest if p.kind == "**kwargs"}
    keywords: list[tuple[str | None, ir.Expr]] = []
    for key, value in match.place.call.keywords:
        if key is None and isinstance(value, ir.Name) and value.id in spread:
            keywords += further
        else:
            keywords.append((key, put(value, given)))
    call, func = match.place.call, match.place.call.func
    if isinstance(func, ir.Name):
        func = next((b.expr for b in asked.bindings.get(func.id, ()) if isinstance(b.expr, ir.Call)), func)
    if isinstance(func, ir.Call):  # `getattr(router, verb)`
        func = ir.Call(func.at, func.func, tuple(put(a, given) for a in func.args), ())
    args = tuple(put(a, given) for arg in call.args for a in _spread(arg, rest, asked, place.call))
    spelled = ir.Call(place.call.at, func, args, tuple(keywords))
    return replace(match, place=CallPlace(spelled, place.scope, place.decorates))


def _spread(arg: ir.Expr, rest: tuple[ir.Parameter, ...], scope: Scope, call: ir.Call) -> tuple[ir.Expr, ...]:
    """`*urls` as what the caller passes for it."""
    gathers = {p.name for p in rest if p.kind == "*args"}
    if not isinstance(arg, ir.Starred) or not isinstance(arg.value, ir.Name) or arg.value.id not in gathers:
        return (arg,)
    passed, remade = call.args[sum(p.kind == "positional" for p in rest) :], _remade(scope, arg.value.id)
    if remade is None:
        return passed if arg.value.id in _own(scope) else (arg,)
    return tuple(put(remade.element, {n.id: one for n in flow.names(remade.loops[0][0])}) for one in passed)


def _named(matcher: Matcher, match: Match[WebRoute]) -> bool:
    """Whether the match is by the method that the caller names, where a name was handed over."""
    call = matcher.evaluator.kept(match.place.call)
    func = call.func if isinstance(call, ir.Call) else None
    verb = func.args[1] if isinstance(func, ir.Call) and len(func.args) > 1 else None
    name = matcher.constant(verb, match.place)
    return not isinstance(name, str) or name == last_of(match.api.path)
