"""Takes the body of a function and a run of its statements, gives which names are live where: what must cross when the run leaves.

A lifted expression is written as an assignment at the expression's own place: `name = expression`, computed where the run ends.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TypeVar, get_args

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.scopes import Scope

_Node = TypeVar("_Node")
_STATEMENTS = get_args(ir.Stmt)


def lift(name: str, expr: ir.Expr) -> ir.Assign:
    """An expression that leaves its statement, by the name of its value."""
    return ir.Assign(expr.at, (ir.Name(expr.at, name),), expr, None, False)


def lifted_name(stmt: ir.Stmt) -> str:
    """The name of a lifted expression; "" for a statement of the program."""
    if isinstance(stmt, ir.Assign) and stmt.value is not None and stmt.at == stmt.value.at and isinstance(stmt.targets[0], ir.Name):
        return stmt.targets[0].id
    return ""


def local_names(scope: Scope) -> set[str]:
    """What a function binds itself: its parameters, and what its statements bind, but for what they import."""
    function = scope.function
    declared = {n for s in flow.flatten(function.body) if isinstance(s, ir.Declare) for n in s.names}
    return ({p.name for p in function.parameters} | flow.binds(function.body)) - declared - imported_names(scope)


def imported_names(scope: Scope) -> set[str]:
    """What a function only imports: moved code imports it itself."""
    return {name for name, bindings in scope.bindings.items() if all(b.how in ("import", "from") for b in bindings)}


def names_around(scope: Scope) -> set[str]:
    """What the functions around a function bind, and it does not."""
    found: set[str] = set()
    at = scope.parent
    while at is not None and at.kind == "function":
        found |= local_names(at)
        at = at.parent
    return found - local_names(scope)


def holds(stmt: ir.Stmt, call: ir.Expr) -> bool:
    return id(call) in flow.parts(stmt)


def evaluated_once(stmt: ir.Stmt, call: ir.Call) -> bool:
    """The call stands in its statement where it runs exactly once: not in a comprehension, lambda or conditional."""
    for expr in flow.expressions(stmt):
        for part in walk(expr):
            if isinstance(part, (ir.Comprehension, ir.Lambda, ir.Conditional)) and any(p is call for p in walk(part)):
                return False
    return True


def index_of(run: ir.Block, calls: tuple[ir.Call, ...]) -> int:
    """The first statement that makes one of the calls."""
    return next((i for i, s in enumerate(run) if any(holds(s, c) for c in calls)), 0)


def find_block(body: ir.Block, call: ir.Call, outermost: bool = False) -> tuple[ir.Block, int]:
    """The block and position of the statement that holds `call`: the innermost one, but never inside a plain `with`."""
    for i, stmt in enumerate(body):
        if any(part is call for part in flow.own(stmt)):
            return body, i
        for inner in flow.blocks(stmt):
            if any(holds(s, call) for s in inner):
                return (body, i) if outermost or isinstance(stmt, ir.With) else find_block(inner, call)
    return body, 0


def blocks_around(body: ir.Block, at: ir.At) -> list[tuple[ir.Block, int]]:
    """The blocks around a place, the outermost first, with the number of the statement in each that holds it."""
    for i, stmt in enumerate(body):
        if ir.holds(stmt.at, at):
            inner = (blocks_around(b, at) for b in flow.blocks(stmt))
            return [(body, i), *next((b for b in inner if b), [])]
    return []


def bound_before(body: ir.Block, stmt: ir.Stmt) -> set[str]:
    """Names that may be bound when `stmt` starts: by statements above it, and by everything in a loop around it."""
    found: set[str] = set()
    for other in flow.flatten(body):
        if other.at[:2] < stmt.at[:2]:
            found |= flow.binds((other,)) if other.at[2:] <= stmt.at[:2] else _head_binds(other)
        if isinstance(other, (ir.For, ir.While)) and ir.holds(other.at, stmt.at) and other.at != stmt.at:
            found |= flow.binds((other,))
    return found


def _head_binds(stmt: ir.Stmt) -> set[str]:
    match stmt:
        case ir.For(at, target, iterable, _, _):
            return flow.binds((ir.For(at, target, iterable, (), ()),))
        case ir.With(at, items, _):
            return flow.binds((ir.With(at, items, ()),))
        case ir.Try(_, _, handlers, _, _):
            return {h.name for h in handlers if h.name}
    return set()


def read_after(body: ir.Block, run: ir.Block) -> set[str]:
    """Names that may be read once the run is over: by statements below it, and by a loop around it."""
    end, start = run[-1].at[2:], run[0].at[:2]
    found: set[str] = set()
    handlers = [h for s in flow.flatten(body) if isinstance(s, ir.Try) for h in s.handlers if h.name]
    for stmt in flow.flatten(body):
        if stmt.at[:2] >= end:
            caught = {h.name for h in handlers if any(ir.holds(s.at, stmt.at) for s in h.body)}  # `except ... as e` binds it anew
            found |= flow.reads((stmt,)) - caught
        around = stmt.at[:2] <= start and end <= stmt.at[2:] and not any(stmt is s for s in run)
        if isinstance(stmt, (ir.For, ir.While)) and around:
            found |= flow.exposed((stmt,))
    return found


def following(body: ir.Block, block: ir.Block) -> ir.Block:
    """The statements that certainly run next once a block inside `body` has come to its end, in the blocks around it."""
    return _following(body, block)[0]


def _following(body: ir.Block, block: ir.Block) -> tuple[ir.Block, bool]:
    """With whether the end of `body` is certainly reached, too."""
    if body is block:
        return (), True
    for i, stmt in enumerate(body):
        inner = next((b for b in flow.blocks(stmt) if b is block or any(s is block[0] for s in flow.flatten(b))), None)
        if inner is not None:
            after, ends = _following(inner, block)
            guarded = isinstance(stmt, ir.Try) and inner is stmt.body and not stmt.orelse and _leave(stmt)
            if ends and (isinstance(stmt, ir.With) or guarded):
                return (*after, *body[i + 1 :]), not any(isinstance(s, (ir.Return, ir.Raise)) for s in body[i + 1 :])
            return after, False
    return (), False


def _leave(stmt: ir.Try) -> bool:
    """Whether every handler leaves the function."""
    return all(isinstance(h.body[-1], (ir.Return, ir.Raise)) for h in stmt.handlers) and not stmt.final


def written(run: ir.Block) -> set[str]:
    """Names that the statements bind, or whose objects they may change (`x[0] = 1`, `x.sort()`)."""
    found = flow.binds(run)
    for stmt in flow.flatten(run):
        targets = stmt.targets if isinstance(stmt, (ir.Assign, ir.Delete)) else ()
        called = stmt.value.func if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) else None
        for target in (*targets, *((called,) if isinstance(called, ir.Attribute) else ())):
            found |= set(_held_by(target))
    return found


def _held_by(target: ir.Expr) -> Iterator[str]:
    """The names whose objects a store or a method call may change; not those that only say which element."""
    match target:
        case ir.Attribute(_, value, _) | ir.Subscript(_, value, _) | ir.Starred(_, value):
            yield from _held_by(value)
        case ir.Sequence(_, _, items):
            for item in items:
                yield from _held_by(item)
        case _:
            yield from (n.id for n in flow.names(target))


FILLING = frozenset({"append", "extend", "insert", "update", "setdefault", "add", "remove", "pop", "clear", "sort", "reverse"})


def fills(run: ir.Block, name: str) -> bool:
    """Whether statements certainly change the object under a name (`x[0] = 1`, `x.append(y)`)."""
    for stmt in flow.flatten(run):
        targets = stmt.targets if isinstance(stmt, (ir.Assign, ir.Delete)) else ()
        called = stmt.value.func if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) else None
        stored = [t.value for t in targets if isinstance(t, (ir.Subscript, ir.Attribute))]
        stored += [called.value] if isinstance(called, ir.Attribute) and called.attr in FILLING else []
        if any(isinstance(s, ir.Name) and s.id == name for s in stored):
            return True
    return False


def substituted(node: _Node, new: dict[int, ir.Expr]) -> _Node:
    """Statements or expressions with some expressions (by id) replaced; what holds none of them is the same object."""
    if not new:
        return node
    if id(node) in new:
        return new[id(node)]  # type: ignore[return-value]
    if not isinstance(node, tuple) or not node or isinstance(node[0], int):  # a place holds no expressions
        return node
    if isinstance(node, _STATEMENTS) and new.keys().isdisjoint(flow.held(node)):
        return node
    parts = [substituted(part, new) if isinstance(part, tuple) else part for part in node]
    if all(map(operator.is_, parts, node)):
        return node
    return type(node)(*parts) if hasattr(node, "_fields") else tuple(parts)  # type: ignore[return-value]


def without(node: _Node, hoists: tuple[ir.Assign, ...]) -> _Node:
    """Statements or expressions that read the names of hoisted expressions instead."""
    return substituted(node, {id(h.value): ir.Name(h.at, lifted_name(h)) for h in hoists})


def thinned(block: ir.Block, gone: frozenset[int]) -> ir.Block:
    """Statements without some of those inside them (by id)."""
    return tuple(_thinned(stmt, gone) for stmt in block if id(stmt) not in gone)


def _thinned(stmt: ir.Stmt, gone: frozenset[int]) -> ir.Stmt:
    if not any(id(s) in gone for s in flow.flatten((stmt,))):
        return stmt
    match stmt:
        case ir.If() | ir.For() | ir.While():
            return stmt._replace(body=thinned(stmt.body, gone), orelse=thinned(stmt.orelse, gone))
        case ir.With():
            return stmt._replace(body=thinned(stmt.body, gone))
        case ir.Try():
            handlers = tuple(h._replace(body=thinned(h.body, gone)) for h in stmt.handlers)
            body, orelse, final = (thinned(block, gone) for block in (stmt.body, stmt.orelse, stmt.final))
            return stmt._replace(body=body, handlers=handlers, orelse=orelse, final=final)
        case ir.Match():
            return stmt._replace(cases=tuple(c._replace(body=thinned(c.body, gone)) for c in stmt.cases))
    return stmt


def path_to(expr: ir.Expr, part: ir.Expr) -> Iterator[ir.Expr]:
    """The expressions from `expr` down to `part`, both included; nothing when it is not in there."""
    if expr is part:
        yield expr
        return
    for child in flow.children(expr):
        below = tuple(path_to(child, part))
        if below:
            yield expr
            yield from below
            return
