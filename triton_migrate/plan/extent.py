"""Takes a pipeline and a way to cut it, gives which steps of its data path stay in the app: how much a cut takes away."""

from __future__ import annotations

from triton_migrate.index import flow
from triton_migrate.plan.cut import Cut
from triton_migrate.plan.rows import frame_at
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Pipeline, Step


def staying(pipeline: Pipeline, cuts: tuple[Cut, ...]) -> tuple[Step, ...]:
    """The steps before, at and after the predict calls that stay, in the order of the walk."""
    wanted = pipeline.before | pipeline.after | {s.step for s in pipeline.sites}
    kept = _kept(pipeline, cuts)
    return tuple(s for s in pipeline.steps if s.number in wanted and s.scope in kept and not _moves(s, cuts))


def _kept(pipeline: Pipeline, cuts: tuple[Cut, ...]) -> set[Scope]:
    """The functions that the app still runs: those around the cuts, and those that statements which stay enter."""
    found: set[Scope] = set()
    for cut in cuts:
        for site in cut.sites:
            around = [frame_at(site, depth).scope for depth in range(len(site.chain) + 1)]
            found |= set(around[: around.index(cut.scope) + 1] if cut.scope in around else around)
    while True:
        entered = {e for s in pipeline.steps if s.scope in found and not _moves(s, cuts) for e in s.enters} - found
        if not entered:
            return found
        found |= entered


def _moves(step: Step, cuts: tuple[Cut, ...]) -> bool:
    """Whether the step leaves: it is in a run, or the predict call is what it is about."""
    for cut in (c for c in cuts if c.scope is step.scope):
        if cut.kind == "model" and step.number in {s.step for s in cut.sites}:
            return True
        if cut.kind != "model" and any(s.at == step.stmt.at for s in flow.flatten(cut.run)):
            return True
    return False
