"""Takes a walk's steps and a predict site, gives whether the site is only part of a training: that is no inference."""

from __future__ import annotations

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import DataConvert, ModelSave, ModelTrain
from triton_migrate.trace.records import Call, PredictSite, Step
from triton_migrate.trace.taints import Taint


class Training:
    """Answers for one walk. A `fit` beside a `predict` is a computation of the request; a loop that runs and trains is a training."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self._training = {s.scope for s in steps if _trains(s)}
        grown = True
        while grown:  # the functions that call such a function
            more = {s.scope for s in steps if s.enters & self._training} - self._training
            self._training |= more
            grown = bool(more)

    @property
    def any(self) -> bool:
        return bool(self._training)

    def runs(self, site: PredictSite) -> bool:
        """Whether a loop around the site, or around a call that leads to it, trains too."""
        calls = [*((frame.scope, call) for call, frame in site.chain), (site.scope, site.call)]
        return any(self._trains_in(scope, loop) for scope, call in calls for loop in flow.loops_around(scope.body, call.at))

    def evaluates(self, site: PredictSite, fed: Taint) -> bool:
        """Whether the site runs what this entry has just fitted on data kept back for that, or keeps or saves it.

        That is a look at how good it is, not a service. `fed`: what its arguments depend on. Where the fit waits for a condition that the
        site does not (`if not fitted: fit()`), the site serves.
        """
        made = site.api.made
        fitted = [s for s in self.steps if s.number <= site.step and any(c.api.made == made for c in s.calls if _is(c, ModelTrain))]
        if made is None or not fitted:
            return False
        split = {s.number for s in self.steps if any(isinstance(r, DataConvert) and r.splits for c in s.calls for r in c.rules)}
        if not split.isdisjoint(fed.of(int)):
            return True
        if not self._surely(fitted, site):
            return False
        at = Span(made.file, *made.at)
        kept = any(s.span.holds(at) and any(cell.lasting for cell in s.writes) for s in self.steps)
        return kept or any(_is(c, ModelSave) for s in self.steps for c in s.calls)

    def _surely(self, fitted: list[Step], site: PredictSite) -> bool:
        """Whether no request comes to the site without one of these steps."""
        certain, sure = {s.scope for s in fitted if not _on_condition(s, None)}, set[Scope]()
        while certain - sure:
            sure |= certain
            certain = {s.scope for s in self.steps if s.enters & sure and not _on_condition(s, None)}
        numbers = {s.number for s in fitted} | {s.number for s in self.steps if s.enters & sure}
        way = {scope: call.at for scope, call in (*((frame.scope, call) for call, frame in site.chain), (site.scope, site.call))}
        return any(s.number in numbers and s.scope in way and not _on_condition(s, way[s.scope]) for s in self.steps)

    def _trains_in(self, scope: Scope, loop: ir.Stmt) -> bool:
        inside = (s for s in self.steps if s.scope is scope and ir.holds(loop.at, s.stmt.at))
        return any(_trains(s) or s.enters & self._training for s in inside)


def _on_condition(step: Step, at: ir.At | None) -> bool:
    """Whether a step may be left out: it stands in a branch that `at` (a place of the same function) is not in, else behind a return."""
    branches = (s for s in flow.flatten(step.scope.body) if isinstance(s, ir.If) and s is not step.stmt)
    return any(
        ir.holds(s.at, step.stmt.at) or (at is None and s.at < step.stmt.at and any(isinstance(i, ir.Return) for i in flow.flatten(s.body)))
        for s in branches
        if at is None or not ir.holds(s.at, at)
    )


def _trains(step: Step) -> bool:
    return any(_is(c, ModelTrain) for c in step.calls)


def _is(call: Call, role: type[ModelTrain] | type[ModelSave]) -> bool:
    return any(isinstance(rule, role) for rule in call.rules)
