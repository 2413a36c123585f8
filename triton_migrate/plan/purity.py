"""Takes a planned model, gives whether equal inputs always get equal answers: only then may the server give an earlier answer again.

Triton's key is the model, its version and the inputs: what reads a clock, draws a number, asks a database or counts must run each time.
"""

from __future__ import annotations

from triton_migrate.index import flow
from triton_migrate.plan.cut import Cut
from triton_migrate.plan.judge import Judge
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Step

IMPURE = frozenset({"time", "random", "metric", "db-read", "db-write", "network", "process", "file-read", "file-write"})
KINDS = ("model", "region")


def repeatable(planned: PlannedModel) -> bool:
    """Whether a reply may be kept; generation, which may draw at random, and streams never are."""
    cuts = planned.cuts
    if planned.parts or any(c.streams or c.kind not in KINDS or not all(s.rule.row_independent for s in c.sites) for c in cuts):
        return False
    return not any(_is_impure(step) for c in cuts if c.kind == "region" for step in _moved(c, planned.cutter.judge))


def _moved(cut: Cut, judge: Judge) -> list[Step]:
    steps = [s for stmt in flow.flatten(cut.moved) if (s := judge.steps.get((cut.scope, stmt.at))) is not None]
    entered: set[Scope] = set()
    new = {e for s in steps for e in s.enters}
    while new:
        entered |= new
        inner = [s for e in new for s in judge.by_scope.get(e, ())]
        steps += inner
        new = {e for s in inner for e in s.enters} - entered
    return steps


def _is_impure(step: Step) -> bool:
    return any(isinstance(r, Effect) and r.kind in IMPURE for c in step.calls for r in c.rules)
