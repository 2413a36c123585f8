"""Takes statements of one pipeline, gives which of them cost something where they stay: those that need the model's libraries.

They keep a library in the application that all of its processes load, or need something of what is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import ModelLoad
from triton_migrate.trace.records import Step

if TYPE_CHECKING:
    from triton_migrate.plan.leaving.judge import Judge


class Weight:
    """Answers for one pipeline, which `judge` knows."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.evaluator, self.rulebook = judge, judge.evaluator, judge.rulebook
        self._own: dict[int, bool] = {}  # by the number of a step: what it needs itself, whatever it calls
        self._functions: dict[Scope, bool] = {}  # with all that the function comes to
        self._around: dict[Scope, list[Step]] = {}

    def around(self, scope: Scope) -> list[Step]:
        """The pipeline's steps in this function that are part of the model's data path, or need something of a loaded object."""
        if (known := self._around.get(scope)) is None:
            wanted = self.judge.pipeline.before | self.judge.pipeline.after | {s.step for s in self.judge.pipeline.sites}
            frame = self.evaluator.program.generic(scope)
            known = [s for s in self.judge.by_scope.get(scope, ()) if s.number in wanted or self._needs_loaded(s, frame)]
            self._around[scope] = known
        return known

    def _needs_loaded(self, step: Step, frame: Frame) -> bool:
        return any(self.judge.uses_loaded(p, frame) for p in flow.own(step.stmt))

    def part_heavy(self, expr: ir.Expr, stmt: ir.Stmt, frame: Frame) -> bool:
        """Whether one expression of a statement needs a library worth moving out of the app."""
        step = self.judge.steps.get((frame.scope, stmt.at))
        calls = [c for c in step.calls if ir.holds(expr.at, c.at)] if step is not None else []
        if any((found := self.rulebook.library_of(c.api.path)) is not None and found.heavy for c in calls):
            return True
        funcs = (p.func for p in walk(expr) if isinstance(p, ir.Call))
        entered = {f.scope for e in funcs for v in self.evaluator.values(e, frame) for f in self.evaluator.callables(v)}
        return self._any_heavy(entered)

    def libraries(self, step: Step) -> tuple[str, ...]:
        """The libraries worth moving that a statement itself calls."""
        found = (self.rulebook.library_of(call.api.path) for call in step.calls)
        return tuple(dict.fromkeys(library.name for library in found if library is not None and library.heavy))

    def heavy(self, step: Step, without: frozenset[int] = frozenset()) -> bool:
        """Whether the statement needs a library worth moving out of the app, or something of a loaded object.

        `without` are parts (by id) that do not count: they leave.
        """
        if without and (places := tuple(p.at for p in flow.own(step.stmt) if id(p) in without)):
            return self._needs_heavy(step, without, places)
        return self._heavy_itself(step) or self._any_heavy(step.enters)

    def _any_heavy(self, functions: Iterable[Scope]) -> bool:
        return any(map(self._heavy_function, functions))

    def _heavy_function(self, function: Scope) -> bool:
        if (known := self._functions.get(function)) is None:
            steps = list(self.judge.steps_of((function,)))
            known = self._functions[function] = any(map(self._calls_heavy, steps)) or any(map(self._heavy_itself, steps))
        return known

    def _calls_heavy(self, step: Step, but: tuple[ir.At, ...] = ()) -> bool:
        for call in step.calls:
            library = self.rulebook.library_of(call.api.path) if call.at not in but else None
            if library is not None and library.heavy and not any(isinstance(r, ModelLoad) for r in call.rules):
                return True
        return False

    def _heavy_itself(self, step: Step) -> bool:
        if (known := self._own.get(step.number)) is None:
            known = self._own[step.number] = self._needs_heavy(step, frozenset(), ())
        return known

    def _needs_heavy(self, step: Step, without: frozenset[int], places: tuple[ir.At, ...]) -> bool:
        """`places`: those of the parts that do not count."""
        if self._calls_heavy(step, places):
            return True
        frame = self.evaluator.program.generic(step.scope)
        for part in flow.own(step.stmt):
            if id(part) in without:
                continue
            if isinstance(part, (ir.Name, ir.Attribute)) and self.judge.types.of(part, frame).kind in ("tensor", "image"):
                return True
            if self.judge.uses_loaded(part, frame):
                return True
        return False
