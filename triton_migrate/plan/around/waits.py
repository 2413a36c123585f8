"""Takes a call that puts a task on its queue, gives where its result is waited for, if nothing else is done with what the queue gave.

A wait is a call (`result.get()`), a call of what the queue gave itself (`result(blocking=True)`), or, where the queue's library has none,
a loop that asks for the job's state and then reads its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.rulebook.vocabulary import Effect, TaskWait


class Wait(NamedTuple):
    """`expr` gives the result; `rule` says how."""

    expr: ir.Expr
    rule: TaskWait


@dataclass(frozen=True, slots=True)
class Waited:
    """All that is done with what a queue gave: the `waits`, and the `loops` before them. `name` holds it; none: it is waited for there."""

    waits: tuple[Wait, ...]
    loops: tuple[ir.While, ...] = ()
    name: str = ""

    @property
    def late(self) -> frozenset[str]:
        """What a wait raises where the result does not come in time."""
        return frozenset(name for wait in self.waits for name in wait.rule.late)


def waited(matcher: Matcher, place: CallPlace, gives: str = "") -> Waited | None:
    """`gives`: what the queue gave, as a path of the rulebook, where the evaluator takes the call for one of the task itself."""
    waits = _Waits(matcher, place, gives)
    body, call = place.scope.function.body, place.call
    parts = [p for s in flow.flatten(body) for p in flow.own(s)]
    at_once = next((w for p in parts if (w := waits.of(p, lambda held: held is call)) is not None), None)
    if at_once is not None:
        return Waited((at_once,)) if not at_once.rule.polls else None
    held = next((s for s in flow.flatten(body) if isinstance(s, ir.Assign) and s.value is call), None)
    if held is None or len(held.targets) != 1 or not isinstance(held.targets[0], ir.Name):
        return None
    name = held.targets[0].id
    if sum(name in flow.binds((s,)) for s in flow.flatten(body) if isinstance(s, ir.Assign)) > 1:
        return None
    loops = tuple(s for s in flow.flatten(body) if isinstance(s, ir.While) and waits.polls(s, name))
    inside = {id(e) for s in loops for e in flow.every(s)}
    reads = [e for s in body for e in flow.every(s) if isinstance(e, ir.Name) and e.id == name and e is not held.targets[0]]
    outside = [e for e in reads if id(e) not in inside]
    found = [w for p in parts if (w := waits.of(p, lambda h: any(h is e for e in outside))) is not None]
    if not found or len(found) != len(outside) or any(w.rule.polls for w in found) is not bool(loops):
        return None
    return Waited(tuple(found), loops, name)


class _Waits:
    """What a function does with what one call of it gave."""

    def __init__(self, matcher: Matcher, place: CallPlace, gives: str) -> None:
        self.matcher, self.place, self.gives = matcher, place, gives
        self.frame: Frame = matcher.program.generic(place.scope)

    def of(self, part: ir.Expr, is_held: Callable[[ir.Expr], bool]) -> Wait | None:
        """The wait that an expression is, on what `is_held` says."""
        match part:
            case ir.Call(_, ir.Attribute(_, held, name) as func) if is_held(held):
                rule = self._rule(f"{self.gives}.{name}", func)
            case ir.Call(_, func) if is_held(func):
                rule = self._rule(f"{self.gives}()", func)
            case ir.Attribute(_, held, name) if is_held(held):
                rule = self._rule(f"{self.gives}.{name}", part)
                return Wait(part, rule) if rule is not None and rule.polls and not self._called(part) else None
            case _:
                return None
        returns = rule is not None and (not rule.blocks or self.matcher.constant(port(part, rule.blocks), self.place) is True)
        return Wait(part, rule) if rule is not None and returns else None

    def polls(self, loop: ir.While, name: str) -> bool:
        """Whether a loop does nothing but wait: it asks the job for its state, and sleeps."""
        asked = tuple(self._asked(loop.test, name))
        asking = {id(base) for base, _ in asked}
        own = [n for n in flow.names(loop.test) if n.id in self.place.scope.bindings]
        if not asked or loop.orelse or not all(id(n) in asking for n in own):
            return False
        polled = frozenset(p for r in self.matcher.rulebook.of_role(TaskWait) for p in r.polls)
        return {a.attr for _, a in asked} <= polled and all(self._idles(s, name, polled) for s in loop.body)

    def _asked(self, test: ir.Expr, name: str) -> Iterator[tuple[ir.Expr, ir.Attribute]]:
        """The job, with what it is asked for."""
        for part in flow.walk(test):
            if isinstance(part, ir.Attribute) and isinstance(part.value, ir.Name) and part.value.id == name:
                yield part.value, part

    def _idles(self, stmt: ir.Stmt, name: str, polled: frozenset[str]) -> bool:
        match stmt:
            case ir.Jump(_, "pass" | "continue"):
                return True
            case ir.Evaluate(_, ir.Call(_, ir.Attribute(_, ir.Name(_, base), attribute), ())) if base == name:
                return attribute in polled
            case ir.Evaluate(_, ir.Call(_, func)):
                rules = (self.matcher.rulebook.find(a.called, Effect) for a in self.matcher.evaluator.apis(func, self.frame))
                return any(r is not None and r.kind == "time" for r in rules)
        return False

    def _called(self, attribute: ir.Attribute) -> bool:
        """Whether it is the function of a call, which is the wait then."""
        parts = (p for s in self.place.scope.function.body for p in flow.every(s))
        return any(isinstance(p, ir.Call) and p.func is attribute for p in parts)

    def _rule(self, path: str, func: ir.Expr) -> TaskWait | None:
        if self.gives:
            return self.matcher.rulebook.find(path, TaskWait)
        rules = (self.matcher.rulebook.find(a.called, TaskWait) for a in self.matcher.evaluator.apis(func, self.frame))
        return next((r for r in rules if r is not None), None)
