"""Takes a pipeline and a way to cut it, gives which steps of its data path stay in the app: how much a cut takes away."""

from __future__ import annotations

from triton_migrate.index import flow
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.rows import frame_at
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Pipeline, Step


def staying(pipeline: Pipeline, cuts: tuple[Cut, ...]) -> tuple[Step, ...]:
    """The steps before, at and after the predict calls that stay, in the order of the walk."""
    wanted = pipeline.before | pipeline.after | {s.step for s in pipeline.sites}
    moved = _moved(pipeline, cuts)
    kept = _kept(pipeline, cuts, moved)
    return tuple(s for s in pipeline.steps if s.number in wanted and s.scope in kept and s.number not in moved)


def _kept(pipeline: Pipeline, cuts: tuple[Cut, ...], moved: set[int]) -> set[Scope]:
    """The functions that the app still runs: those around the cuts, and those that statements which stay enter."""
    found: set[Scope] = set()
    for cut in cuts:
        for site in cut.sites:
            around = [frame_at(site, depth).scope for depth in range(len(site.chain) + 1)]
            found |= set(around[: around.index(cut.scope) + 1] if cut.scope in around else around)
    entered: dict[Scope, set[Scope]] = {}
    for step in pipeline.steps:
        if step.enters and step.number not in moved:
            entered.setdefault(step.scope, set()).update(step.enters)
    waiting = list(found)
    while waiting:
        new = entered.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _moved(pipeline: Pipeline, cuts: tuple[Cut, ...]) -> set[int]:
    """The steps that leave: those in a run, and those that the predict call is what they are about."""
    calls = {(cut.scope, s.step) for cut in cuts if cut.kind == "model" for s in cut.sites}
    runs = {(cut.scope, s.at) for cut in cuts if cut.kind != "model" for s in flow.flatten(cut.run)}
    scopes = {cut.scope for cut in cuts}
    steps = (s for s in pipeline.steps if s.scope in scopes)
    return {s.number for s in steps if (s.scope, s.number) in calls or (s.scope, s.stmt.at) in runs}
