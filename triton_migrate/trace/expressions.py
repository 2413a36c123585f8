"""Takes an expression, gives what its value depends on, and what changing its object changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.index.flow import children
from triton_migrate.resolve.calls import results
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, UserFunction
from triton_migrate.trace import calls, protocols, requested
from triton_migrate.trace.environment import Env
from triton_migrate.trace.records import Cell, Step
from triton_migrate.trace.shared import OPERATORS, Reads
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk

DEPTH = 4  # of names and functions between a local and the container that it is an element of
CHOOSING = frozenset({"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "BitAnd", "BitOr", "Invert"})  # an index of these takes rows by a condition
OF_THE_REQUEST = ("threading.local()", "contextvars.ContextVar()")  # globals with a value for each request


def expr(walk: Walk, part: ir.Expr | None, frame: Frame, env: Env) -> Taint:
    """What the value of `part` depends on."""
    if part is None or isinstance(part, ir.Constant):
        return CLEAN
    if isinstance(part, ir.Name):
        return _name(walk, part, frame, env)
    if (reads := walk.shared.reads(part, frame)) is not None:
        return _read(walk, reads, frame, env)
    match part:
        case ir.Attribute(_, base, attr):
            return expr(walk, base, frame, env) | attribute(walk, base, attr, frame) | requested.whole(walk, part, frame)
        case ir.Subscript(_, base, index):
            given = expr(walk, index, frame, env)
            taint = expr(walk, base, frame, env) | given | protocols.operated(walk, base, "__getitem__", given, frame)
            return taint | requested.fields(walk, base, index, frame)
        case ir.Operation(_, operator, (left, right)) if method := OPERATORS.get(operator):
            given = expr(walk, right, frame, env)
            return expr(walk, left, frame, env) | given | protocols.operated(walk, left, method, given, frame)
        case ir.Call():
            return calls.call(walk, part, frame, env)
        case ir.Await(_, value) if not isinstance(value, ir.Call):
            return expr(walk, value, frame, env) | calls.awaited(walk, value, frame)
        case ir.Walrus(_, target, value):
            taint = expr(walk, value, frame, env) | (walk.origins.taint(walk.step.number) if walk.step else CLEAN)
            env.names[target.id] = taint
            return taint
        case ir.Comprehension(_, _, element, value, loops):
            found = CLEAN
            inner = Env({}, env)
            for bound, iterable, conditions in loops:
                taint = expr(walk, iterable, frame, inner) | protocols.operated(walk, iterable, "__iter__", CLEAN, frame)
                _bind_names(walk, bound, taint, inner)
                found |= taint | every(walk, conditions, frame, inner)
            return found | expr(walk, element, frame, inner) | expr(walk, value, frame, inner)
    return every(walk, _parts(part), frame, env)


def every(walk: Walk, exprs: Iterable[ir.Expr], frame: Frame, env: Env) -> Taint:
    return CLEAN.union(*(expr(walk, e, frame, env) for e in exprs))


def _bind_names(walk: Walk, target: ir.Expr, taint: Taint, env: Env) -> None:
    if isinstance(target, ir.Name):
        env.names[target.id] = taint
    for part in _parts(target):
        _bind_names(walk, part, taint, env)


def _read(walk: Walk, reads: Reads, frame: Frame, env: Env) -> Taint:
    taint = CLEAN
    for name in reads.names:
        found = env.get(name.id)
        taint |= _beyond(walk, name, frame) if found is None else found
    for cell in reads.cells:
        taint |= _held(walk, cell)
    return taint


def _held(walk: Walk, cell: Cell) -> Taint:
    held = walk.heap.held(cell)
    return held | walk.origins.taint(cell) if cell.lasting else held


def _name(walk: Walk, expr: ir.Name, frame: Frame, env: Env) -> Taint:
    """Of a name; it may be a global though the function binds it."""
    found = env.get(expr.id) if expr.id not in frame.scope.globals else None
    return _beyond(walk, expr, frame) if found is None else found


def _beyond(walk: Walk, expr: ir.Name, frame: Frame) -> Taint:
    """Of a name that is none of the function's."""
    cell = walk.cells.of_global(expr.id, frame)
    if cell is None:
        return requested.whole(walk, expr, frame)
    kept = walk.program.global_bindings(cell.owner, cell.name)  # what an entry puts there may be another request's
    return walk.heap.held(cell) | walk.origins.taint(cell) | (CLEAN if kept else requested.whole(walk, expr, frame))


def attribute(walk: Walk, base: ir.Expr, attr: str, frame: Frame) -> Taint:
    taint = CLEAN
    for met in walk.shared.attribute(base, attr, frame):
        taint |= _held(walk, met) if isinstance(met, Cell) else walk.run(met, {})
    return taint


def mutate(walk: Walk, expr: ir.Expr, taint: Taint, frame: Frame, env: Env, step: Step, certain: bool = True) -> None:
    """Something inside `expr`'s object changed: the name at its root now depends on `taint` too."""
    while isinstance(expr, (ir.Subscript, ir.Call)):
        expr = expr.value if isinstance(expr, ir.Subscript) else expr.func
    if isinstance(expr, ir.Attribute):
        for value in walk.evaluator.values(expr.value, frame):
            if cell := walk.cells.of_attribute(value, expr.attr):
                walk.heap.put(cell, taint, step, certain)
        mutate(walk, expr.value, taint, frame, env, step, certain)
    elif isinstance(expr, ir.Name):
        if env.get(expr.id) is not None:
            env.add(expr.id, taint | (env.get(expr.id) or CLEAN))
            _mutate_elements(walk, expr, taint, frame, step, certain)
        elif cell := walk.cells.of_global(expr.id, frame):
            own = any(isinstance(v, Api) and v.path in OF_THE_REQUEST for v in walk.evaluator.values(expr, frame))
            walk.heap.put(cell, taint, step, certain and not own)


def _mutate_elements(walk: Walk, name: ir.Name, taint: Taint, frame: Frame, step: Step, certain: bool) -> None:
    """`history = histories[user]` or `histories.setdefault(user, [])`: what changes the local also changes what it is an element of."""
    for container, where in _containers(walk, name, frame, DEPTH):
        mutate(walk, container, taint, where, Env({}), step, certain)


def _containers(walk: Walk, expr: ir.Expr | None, frame: Frame, depth: int) -> Iterator[tuple[ir.Expr, Frame]]:
    """What an expression is an element of: a global of a module, or an attribute; also through locals and functions that give it back."""
    match expr:
        case _ if not depth or frame.scope.kind != "function":
            return
        case ir.Name(_, name):
            for binding in frame.scope.bindings.get(name, ()):
                if binding.how == "value" and not binding.unpacked:
                    yield from _containers(walk, binding.expr, frame, depth - 1)
        case ir.Subscript(_, _, index) if isinstance(index, ir.Operation) and set(index.operator.split("+")) <= CHOOSING:
            return  # `table[table["id"] == wanted]` is a table of its own
        case ir.Subscript(_, base, _) | ir.Call(_, ir.Attribute(_, base, "get" | "setdefault"), _, _):
            if isinstance(base, ir.Attribute) or (isinstance(base, ir.Name) and base.id not in frame.scope.bindings):
                yield base, frame
        case ir.Call(_, func, _, _):
            for function in (v for v in walk.evaluator.values(func, frame) if isinstance(v, UserFunction)):
                for result in results(function.scope.function):
                    yield from _containers(walk, result, walk.program.generic(function.scope), depth - 1)


def _parts(expr: ir.Expr | None) -> tuple[ir.Expr, ...]:
    return tuple(children(expr)) if expr is not None else ()
