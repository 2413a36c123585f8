"""Takes `await asyncio.to_thread(f, x)`, gives the call of the other thread, `f(x)`, and the edits that make the one text the other.

A coroutine has a thread of its own run what would hold up the event loop. What leaves the application waits for nobody: it calls `f(x)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import FlowBind, FlowCall

Edit = tuple[ir.At, str]
_COMMENT = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class Handed:
    """`call` stands where the `await` stood; `given` is what was handed over: `f`, `partial(f, x)` or `lambda: f(x)`."""

    call: ir.Call
    runner: ir.Call
    given: ir.Expr
    stands: frozenset[int]  # the calls in the code, by id, that `call` takes the place of


class Threads:
    """Answers for one program; the same `await` is always the same call."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._known: dict[int, tuple[ir.Await, Handed | None]] = {}  # the node keeps its id alive
        self._by_call: dict[int, Handed] = {}

    def handed(self, waits: ir.Await, frame: Frame) -> Handed | None:
        """None where it waits for something else."""
        if id(waits) not in self._known:
            made = self._handed(waits, frame)
            self._known[id(waits)] = waits, made
            if made is not None:
                self._by_call[id(made.call)] = made
        return self._known[id(waits)][1]

    def within(self, function: ir.Function, frame: Frame) -> tuple[tuple[ir.Await, Handed], ...]:
        """What a function's own statements hand over."""
        return tuple(self._found(function, frame))

    def edits(self, exprs: Iterable[ir.Expr], text: Text) -> tuple[Edit, ...]:
        """What makes the text of these calls theirs."""
        return tuple(edit for e in exprs if (made := self._by_call.get(id(e))) is not None for edit in _edits(made, text))

    def _found(self, function: ir.Function, frame: Frame) -> Iterator[tuple[ir.Await, Handed]]:
        if not function.is_async:
            return
        for part in (p for s in flow.flatten(function.body) for p in flow.own(s)):
            if isinstance(part, ir.Await) and (made := self.handed(part, frame)) is not None:
                yield part, made

    def _handed(self, waits: ir.Await, frame: Frame) -> Handed | None:
        runner = waits.value
        if not isinstance(runner, ir.Call):
            return None
        rule = self._rule(runner, frame)
        if rule is None or (runner.keywords and not rule.named):
            return None
        if len(runner.args) < rule.first or any(isinstance(a, ir.Starred) for a in runner.args[: rule.first]):
            return None
        given, rest = runner.args[rule.first - 1], runner.args[rule.first :]
        functions = (f for v in self.evaluator.values(given, frame) for f in self.evaluator.callables(v))
        if any(f.scope.function.is_async for f in functions):
            return None
        stands = frozenset({id(runner)})
        match given:
            case ir.Lambda(_, function):
                (said,) = function.body if len(function.body) == 1 else (None,)
                made = said.value if isinstance(said, ir.Return) else None
                if function.parameters or rest or runner.keywords or not isinstance(made, ir.Call):
                    return None
                return Handed(made._replace(at=waits.at), runner, given, stands | {id(made)})
            case ir.Call(_, _, (function, *args), keywords) if self._binds(given, frame):
                if rest or runner.keywords:
                    return None
                return Handed(ir.Call(waits.at, function, tuple(args), keywords), runner, given, stands | {id(given)})
            case ir.Name() | ir.Attribute() | ir.Call() | ir.Subscript():
                return Handed(ir.Call(waits.at, given, rest, runner.keywords), runner, given, stands)
        return None

    def starts(self, part: ir.Expr, frame: Frame) -> bool:
        """Whether a coroutine hands something over here: what that gives is no value yet, but what can be waited for."""
        waiting = frame.scope.kind == "function" and frame.scope.function.is_async
        return waiting and isinstance(part, ir.Call) and self._rule(part, frame) is not None

    def _rule(self, runner: ir.Call, frame: Frame) -> FlowCall | None:
        rules = (r for a in self.evaluator.apis(runner.func, frame) for r in self.evaluator.rulebook.rules_for(a.called))
        found = next((r for r in rules if isinstance(r, FlowCall)), None)
        return found if found is not None and found.first >= 1 and not (found.each or found.method or found.given) else None

    def _binds(self, call: ir.Call, frame: Frame) -> bool:
        """`partial(f, x)`"""
        apis = self.evaluator.apis(call.func, frame)
        return any(isinstance(r, FlowBind) and r.function == "0" for a in apis for r in self.evaluator.rulebook.rules_for(a.called))


def _edits(made: Handed, text: Text) -> Iterator[Edit]:
    """Between the parts that stay: the function, or all that a lambda calls, and the arguments."""
    call, runner, given = made.call, made.runner, made.given
    if isinstance(given, ir.Lambda):
        (said,) = given.function.body
        assert isinstance(said, ir.Return) and said.value is not None
        opened = _between(text, given.at[:2], said.value.at[:2]).partition(":")[2].strip()
        yield (*call.at[:2], *said.value.at[:2]), opened
        yield (*said.value.at[2:], *call.at[2:]), ")" * opened.count("(")
        return
    holder = given if isinstance(given, ir.Call) and call.func is not given else runner
    place = next(i for i, a in enumerate(holder.args) if a is call.func)
    before, mark = (holder.args[place - 1], ",") if place else (holder.func, "(")
    yield (*call.at[:2], *call.func.at[:2]), _between(text, before.at[2:], call.func.at[:2]).partition(mark)[2].strip()
    if rest := [a.at for a in (*call.args, *(v for _, v in call.keywords))]:
        first = min(rest)
        closed, _, opened = _between(text, call.func.at[2:], first[:2]).partition(",")
        yield (*call.func.at[2:], *first[:2]), f"{closed.strip()}({opened.strip()}"
    else:
        closed = _between(text, call.func.at[2:], holder.at[2:]).rstrip().removesuffix(")").rstrip().removesuffix(",")
        yield (*call.func.at[2:], *holder.at[2:]), f"{closed.rstrip()}()"
    if holder.at[2:] != call.at[2:]:
        yield (*holder.at[2:], *call.at[2:]), ""


def _between(text: Text, start: tuple[int, int], end: tuple[int, int]) -> str:
    return _COMMENT.sub("", text.piece((*start, *end)))
