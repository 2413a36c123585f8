"""Takes a planned model, gives whether equal inputs always get equal answers: only then may the server give an earlier answer again.

Triton's key is the model, its version and the inputs: what reads a clock, draws a number, asks a database or counts must run each time.
"""

from __future__ import annotations

from triton_migrate.index import flow
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Step

IMPURE = {
    "time": "reads a clock", "random": "draws a number", "metric": "counts", "db-read": "reads a database",
    "db-write": "writes to a database",
    "network": "uses the network", "process": "starts a process", "file-read": "reads a file", "file-write": "writes a file",
}  # fmt: skip
KINDS = ("model", "region", "alone")  # of what is served alone, the key has which method is called with what


def differing(planned: PlannedModel) -> str:
    """Why a reply may not be kept; empty where it may. Generation, which may draw at random, and streams never are."""
    for cut in planned.cuts:
        if planned.parts or cut.streams or cut.kind not in KINDS:
            return "Triton keeps no replies of streams, nor of a model that is asked for in several ways"
        if drawn := next((s for s in cut.sites if not s.rule.row_independent), None):
            return f"{drawn.text} ({drawn.span.place}) may answer otherwise for the same rows"
    for step in (s for c in planned.cuts if c.kind == "region" for s in _moved(c, planned.cutter.judge)):
        if told := next((IMPURE[r.kind] for c in step.calls for r in c.rules if isinstance(r, Effect) and r.kind in IMPURE), ""):
            return f"what moved {told} ({step.span.place}), so equal inputs need not have equal answers"
    return ""


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
