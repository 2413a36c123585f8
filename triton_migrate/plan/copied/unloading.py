"""Takes a class that is copied, gives the threads and timers by which its objects only unload their model after a while.

On the model's side nothing would load it again where the look whether it is loaded stays in the application, and to keep models loaded
or not is Triton's: such a thread stays behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.plan.leaving.reaching import loads
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import UserClass
from triton_migrate.rulebook.vocabulary import TaskEnqueue

DEPTH = 3


def unloading(evaluator: Evaluator, cls: UserClass) -> tuple[ir.At, ...]:
    """The statements of the class's methods that make and start what unloads."""
    slots = {name for c in _family(evaluator, cls) for m in _methods(c) for name in _loaded(evaluator, m)}
    return tuple(at for m in _methods(cls.scope) for at in _started(evaluator, m, slots)) if slots else ()


def run_to_unload(evaluator: Evaluator, cls: UserClass) -> frozenset[Scope]:
    """The functions that these threads and timers run, and the methods that those call."""
    methods = [m for c in _family(evaluator, cls) for m in _methods(c)]
    slots = {name for m in methods for name in _loaded(evaluator, m)}
    found, new = set[Scope](), set[Scope]()
    for method in methods if slots else ():
        frame = evaluator.program.generic(method)
        for call in (e for s in flow.flatten(method.function.body) for e in flow.every(s) if isinstance(e, ir.Call)):
            new |= set(_run(evaluator, call, frame)) if _unloads(evaluator, call, frame, slots) else set()
    while new:
        found |= new
        new = {inner for scope in new for inner in called(evaluator, scope)} - found
    return frozenset(found)


def _family(evaluator: Evaluator, cls: UserClass) -> list[Scope]:
    """The class, those it is made from, and all that are made from these."""
    family = [c.scope for c in evaluator.mro(cls) if isinstance(c, UserClass)]
    return family + [s for c in family for s in evaluator.program.subclasses(c.name)]


def _methods(cls: Scope) -> Iterator[Scope]:
    return (s for s in cls.children.values() if s.kind == "function")


def _loaded(evaluator: Evaluator, method: Scope) -> Iterator[str]:
    """The attributes that a method puts something loaded into."""
    frame = evaluator.program.generic(method)
    for stmt in flow.flatten(method.function.body):
        if isinstance(stmt, ir.Assign) and any(isinstance(e, ir.Call) and loads(evaluator, e, frame) for e in flow.every(stmt)):
            yield from filter(None, (_own(t.value if isinstance(t, ir.Subscript) else t, method) for t in stmt.targets))


def _started(evaluator: Evaluator, method: Scope, slots: set[str]) -> Iterator[ir.At]:
    frame = evaluator.program.generic(method)
    for stmt in flow.flatten(method.function.body):
        parts = [*flow.walk(stmt.value)] if isinstance(stmt, (ir.Evaluate, ir.Assign)) and stmt.value is not None else []
        if not any(isinstance(p, ir.Call) and _unloads(evaluator, p, frame, slots) for p in parts):
            continue
        yield stmt.at
        if isinstance(stmt, ir.Assign):  # and what is done with it here: `timer.start()`
            for other in flow.flatten(method.function.body):
                if any(_same(held, target) for held in _worked_on(other) for target in stmt.targets):
                    yield other.at


def _unloads(evaluator: Evaluator, call: ir.Call, frame: Frame, slots: set[str]) -> bool:
    """Whether a call makes a thread or timer for a function that empties one of the slots."""
    run = _run(evaluator, call, frame)
    return bool(run) and all(_empties(evaluator, scope, slots, DEPTH) for scope in run)


def _run(evaluator: Evaluator, call: ir.Call, frame: Frame) -> list[Scope]:
    """What the thread or timer that a call makes runs."""
    rules = (evaluator.rulebook.find(a.called, TaskEnqueue) for a in evaluator.apis(call.func, frame))
    given = [e for rule in rules if rule is not None and rule.callee != "self" and (e := port(call, rule.callee)) is not None]
    return [f.scope for e in given for v in evaluator.values(e, frame) for f in evaluator.callables(v)]


def called(evaluator: Evaluator, scope: Scope) -> Iterator[Scope]:
    """The methods of the same object that a method calls."""
    frame = evaluator.program.generic(scope)
    calls = (e for s in flow.flatten(scope.function.body) for e in flow.every(s) if isinstance(e, ir.Call) and _own(e.func, scope))
    return (f.scope for c in calls for v in evaluator.values(c.func, frame) for f in evaluator.callables(v))


def _empties(evaluator: Evaluator, scope: Scope, slots: set[str], depth: int) -> bool:
    """Whether a function, or a method of the same object that it calls, empties a slot, and nothing there loads anew."""
    body, frame = list(flow.flatten(scope.function.body)), evaluator.program.generic(scope)
    calls = [e for s in body for e in flow.every(s) if isinstance(e, ir.Call)]
    if any(loads(evaluator, c, frame) for c in calls):
        return False
    if any(_empty(s, scope, slots) for s in body):
        return True
    return depth > 0 and any(_empties(evaluator, s, slots, depth - 1) for s in called(evaluator, scope))


def _empty(stmt: ir.Stmt, scope: Scope, slots: set[str]) -> bool:
    """`self.model = None`, `del self.model`."""
    nothing = isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Constant) and stmt.value.value is None
    return (
        isinstance(stmt, (ir.Assign, ir.Delete))
        and (nothing or isinstance(stmt, ir.Delete))
        and any(_own(t, scope) in slots for t in stmt.targets)
    )


def _own(expr: ir.Expr, method: Scope) -> str:
    """The name in `self.x`; empty for anything else."""
    match expr:
        case ir.Attribute(_, ir.Name(_, first), attr) if any(p.name == first for p in method.function.parameters[:1]):
            return attr
    return ""


def _worked_on(stmt: ir.Stmt) -> tuple[ir.Expr, ...]:
    """What a statement calls a method of, or sets an attribute of."""
    match stmt:
        case ir.Evaluate(_, ir.Call(_, ir.Attribute(_, held, _))):
            return (held,)
        case ir.Assign(_, targets):
            return tuple(t.value for t in targets if isinstance(t, ir.Attribute))
    return ()


def _same(one: ir.Expr, other: ir.Expr) -> bool:
    match one, other:
        case ir.Name(_, a), ir.Name(_, b):
            return a == b
        case ir.Attribute(_, ir.Name(_, a), x), ir.Attribute(_, ir.Name(_, b), y):
            return (a, x) == (b, y)
    return False
