"""Takes a call that starts work (`pool.submit(f)`, `create_task(f())`), tells whether the function around it leaves it to itself.

It does where it drops what the call gives, or only keeps it for another entry to ask about: `futures[job] = pool.submit(f)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import FILLING, last_name
from triton_migrate.trace.records import Step

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk

KEEPING = FILLING.keys() | {"add_done_callback", "put", "put_nowait"}


def left(walk: Walk, call: ir.Call, step: Step) -> bool:
    """Whether nobody waits there for what the call gives."""
    match step.stmt:
        case ir.Evaluate(_, value):
            return value is call
        case ir.Assign(_, targets, value) if value is call:
            return all(_kept(walk, target, step) for target in targets)
    return False


def _kept(walk: Walk, target: ir.Expr, step: Step) -> bool:
    """Whether what is assigned there is looked at nowhere else in the function."""
    match target:
        case ir.Name(_, name):
            return all(_keeps(stmt) for stmt in _mentions(walk, name, step))
        case ir.Subscript() | ir.Attribute():
            return not any(_waits(stmt) for stmt in _mentions(walk, last_name(target), step))
    return False


def _mentions(walk: Walk, name: str, step: Step) -> Iterator[ir.Stmt]:
    return (stmt for stmt, _ in walk.program.named(step.scope).get(name, ()) if stmt is not step.stmt)


def _keeps(stmt: ir.Stmt) -> bool:
    """`jobs[key] = future`, `running.add(task)`, `task.add_done_callback(f)`."""
    match stmt:
        case ir.Assign(_, targets, ir.Name()):
            return all(isinstance(target, (ir.Subscript, ir.Attribute)) for target in targets)
        case ir.Evaluate(_, ir.Call(_, ir.Attribute(_, _, method))):
            return method in KEEPING
    return False


def _waits(stmt: ir.Stmt) -> bool:
    parts = (part for expr in flow.expressions(stmt) for part in flow.walk(expr))
    return any(isinstance(p, ir.Await) or (isinstance(p, ir.Attribute) and p.attr == "result") for p in parts)
