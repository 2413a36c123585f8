"""Takes routers that nothing attaches, gives those that a function of the program gets together with an application, and copies from.

`add_versions(app, router)` that goes through `router.routes` and puts its own of them on `app` serves what the router has. Under which
paths is the function's business: they are listed under the router's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from triton_migrate.entries.nodes import Node, Nodes
from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.scopes import CallPlace, Scope, last_name
from triton_migrate.rulebook.vocabulary import WebApp, WebRouter


def cloned(matcher: Matcher, nodes: Nodes, attached: Collection[Node]) -> Iterator[tuple[Node, Node]]:
    """The application, or the attached router, and the router that it gets the routes of."""
    made = {nodes.result(m): m for m in matcher.find(WebRouter, inherited=True) if m.rule.held}
    loose = {node: match for node, match in made.items() if node not in attached}
    served = {*attached, *(nodes.result(m) for m in matcher.find(WebApp, inherited=True))} if loose else set()
    names = set(_renamed(matcher, {name for match in loose.values() for name in _called(match.place)}))
    for place in _handing(matcher, names) if served else ():
        given = [(expr, set(nodes.within(expr, matcher.program.generic(place.scope)))) for expr in _arguments(place.call)]
        for router in sorted({n for _, found in given for n in found} & loose.keys(), key=str):
            apps = sorted({n for _, found in given for n in found} & served, key=str)
            if apps and any(_reads(matcher, place, expr, loose[router].rule.held) for expr, found in given if router in found):
                yield from ((app, router) for app in apps)


def _called(place: CallPlace) -> Iterator[str]:
    """The names of what a call makes."""
    for name, bindings in place.scope.bindings.items():
        if any(b.expr is place.call for b in bindings):
            yield name


def _renamed(matcher: Matcher, names: set[str]) -> Iterator[str]:
    """These names and those under which other files import them."""
    yield from names
    for file in matcher.program.files.values() if names else ():
        for name, bindings in file.module.bindings.items():
            if any(b.how == "from" and b.imported[1] in names for b in bindings):
                yield name


def _handing(matcher: Matcher, names: set[str]) -> Iterator[CallPlace]:
    """The calls that get something of these names, and something else."""
    for file in matcher.program.files.values() if names else ():
        for place in (place for places in file.calls.values() for place in places):
            given = _arguments(place.call)
            if len(given) > 1 and not matcher.program.is_test(place.scope.file):
                if any(isinstance(e, (ir.Name, ir.Attribute)) and last_name(e) in names for e in given):
                    yield place


def _arguments(call: ir.Call) -> list[ir.Expr]:
    return [*call.args, *(value for _, value in call.keywords)]


def _reads(matcher: Matcher, place: CallPlace, given: ir.Expr, held: str) -> bool:
    """Whether a function that is called there goes through what it is given."""
    for value in matcher.evaluator.values(place.call.func, matcher.program.generic(place.scope)):
        for function in matcher.evaluator.callables(value):
            parameters = function.scope.function.parameters[1 if function.receiver is not None else 0 :]
            names = {name for name, expr in argument_map(parameters, place.call).items() if expr is given}
            if _asks(function.scope, names, held):
                return True
    return False


def _asks(scope: Scope, names: set[str], held: str) -> bool:
    parts = (part for stmt in flow.flatten(scope.function.body) for expr in flow.expressions(stmt) for part in flow.walk(expr))
    return any(isinstance(p, ir.Attribute) and p.attr == held and isinstance(p.value, ir.Name) and p.value.id in names for p in parts)
