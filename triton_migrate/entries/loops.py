"""Takes a call in a loop over what is written there, gives the call once for each turn, with what the loop's names then are.

`for name in ("birds", "fish"): app.include_router(import_module(f"api.{name}").router, prefix=f"/{name}")` serves two routers under a
prefix each; seen by itself the call would serve both under both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import TypeVar, cast

from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.resolve.values import Container
from triton_migrate.rulebook.vocabulary import Rule

TURNS = 256  # of one call

R = TypeVar("R", bound=Rule)
Node = TypeVar("Node")


def each_turn(matcher: Matcher, matches: Iterable[Match[R]], role: type[R]) -> Iterator[Match[R]]:
    """The matches, those of calls in such loops once for each turn."""
    seen: set[int] = set()
    for match in matches:
        places = turns(matcher.evaluator, match.place)
        if id(match.place.call) not in seen:
            found = [m for place in places for m in matcher.at(place, role)]
            seen |= {id(match.place.call)} if found else set()
            yield from found or (match,)


def put(node: Node, given: Mapping[str, ir.Expr]) -> Node:
    """The expression with what the names in it stand for."""
    if isinstance(node, ir.Name):
        return cast("Node", given.get(node.id, node))
    if not isinstance(node, tuple) or isinstance(node, (ir.Lambda, ir.Comprehension)):
        return node
    parts = [put(part, given) for part in node]
    if all(new is old for new, old in zip(parts, node, strict=True)):
        return node
    return cast("Node", type(node)(*parts) if hasattr(node, "_fields") else tuple(parts))


def turns(evaluator: Evaluator, place: CallPlace) -> list[CallPlace]:
    """The call once for each turn of the loops it is in; none where it is in none that tell it apart."""
    frame = evaluator.program.generic(place.scope)
    said = {n.id for n in flow.names(place.call)}
    loops = [
        rows
        for target, over in _around(place)
        if said & {n.id for n in flow.names(target)}
        for rows in [_rows(evaluator, target, over, frame)]
    ]
    if not loops or not all(loops):
        return []
    calls = [put(place.call, {k: v for row in turn for k, v in row.items()}) for turn in islice(product(*loops), TURNS)]
    return [CallPlace(call, place.scope, place.decorates) for call in calls if evaluator.kept(call)]


def _around(place: CallPlace) -> Iterator[tuple[ir.Expr, ir.Expr]]:
    """What the loops around a call go through, the outermost first: target and iterable."""
    body = place.scope.body
    for stmt in flow.around(body, place.call.at):
        if isinstance(stmt, ir.For):
            yield stmt.target, stmt.iterable
        for part in (part for expr in flow.expressions(stmt) if ir.holds(expr.at, place.call.at) for part in flow.walk(expr)):
            if isinstance(part, ir.Comprehension) and ir.holds(part.at, place.call.at):
                yield from ((target, over) for target, over, conditions in part.loops if not conditions)


def _rows(evaluator: Evaluator, target: ir.Expr, over: ir.Expr, frame: Frame) -> list[dict[str, ir.Expr]]:
    """What the target's names are in each turn; none where that is not all written there."""
    if isinstance(over, ir.Call) and any(api.path == "builtins.range" for api in evaluator.apis(over.func, frame)):
        return [{n.id: ir.Constant(over.at, i)} for i in _counted(evaluator, over, frame) for n in flow.names(target)]
    pairs = isinstance(over, ir.Call) and isinstance(over.func, ir.Attribute) and over.func.attr == "items" and not over.args
    asked = over.func.value if pairs and isinstance(over, ir.Call) and isinstance(over.func, ir.Attribute) else over
    held = [v for v in evaluator.values(asked, frame) if isinstance(v, Container)]
    if len(held) != 1 or held[0].frame.scope.file != frame.scope.file:
        return []
    match held[0].expr:
        case ir.Sequence(_, _, items) if not pairs:
            found = [_bound(target, item) for item in items]
        case ir.Mapping(_, keys, values) if pairs:
            found = [_bound(target, ir.Sequence(v.at, "tuple", (k, v))) for k, v in zip(keys, values, strict=True) if k is not None]
            found += [None] * (len(keys) - len(found))
        case _:
            return []
    return [row for row in found if row is not None] if None not in found else []


def _counted(evaluator: Evaluator, call: ir.Call, frame: Frame) -> range:
    said = [evaluator.constant(arg, frame) for arg in call.args]
    numbers = [n for n in said if isinstance(n, int)]
    return range(*numbers)[:TURNS] if said and len(numbers) == len(said) <= 3 and numbers[2:] != [0] else range(0)


def _bound(target: ir.Expr, item: ir.Expr) -> dict[str, ir.Expr] | None:
    match target, item:
        case _, ir.Starred():
            return None
        case ir.Name(_, name), _:
            return {name: item}
        case ir.Sequence(_, _, names), ir.Sequence(_, _, parts) if len(names) == len(parts):
            rows = [_bound(n, p) for n, p in zip(names, parts, strict=True)]
            return {k: v for row in rows if row is not None for k, v in row.items()} if None not in rows else None
    return None
