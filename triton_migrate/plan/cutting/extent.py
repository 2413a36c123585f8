"""Takes a pipeline and a way to cut it, gives which steps of its data path stay in the app: how much a cut takes away."""

from __future__ import annotations

from collections.abc import Iterable

from triton_migrate.index import flow
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.rows import frame_at
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Pipeline, Step


class Extent:
    """Answers for one pipeline, of which many ways to cut it are asked."""

    def __init__(self, pipeline: Pipeline) -> None:
        wanted = pipeline.before | pipeline.after | {s.step for s in pipeline.sites}
        self._steps = _by_function(pipeline.steps)
        self._wanted = _by_function(step for step in pipeline.steps if step.number in wanted)
        self._entering = _by_function(step for step in pipeline.steps if step.enters)

    def staying(self, cuts: tuple[Cut, ...]) -> tuple[Step, ...]:
        """The steps before, at and after the predict calls that stay, in the order of the walk."""
        moved = self._moved(cuts)
        left = (s for scope in self._kept(cuts, moved) for s in self._wanted.get(scope, ()) if s.number not in moved)
        return tuple(sorted(left, key=lambda step: step.number))

    def _kept(self, cuts: tuple[Cut, ...], moved: set[int]) -> set[Scope]:
        """The functions that the app still runs: those around the cuts, and those that statements which stay enter."""
        found: set[Scope] = set()
        for cut in cuts:
            for site in cut.sites:
                around = [frame_at(site, depth).scope for depth in range(len(site.chain) + 1)]
                found |= set(around[: around.index(cut.scope) + 1] if cut.scope in around else around)
        waiting = list(found)
        while waiting:
            staying = (s for s in self._entering.get(waiting.pop(), ()) if s.number not in moved)
            new = {entered for s in staying for entered in s.enters} - found
            found |= new
            waiting += new
        return found

    def _moved(self, cuts: tuple[Cut, ...]) -> set[int]:
        """The steps that leave: those in a run, and those that the predict call is what they are about."""
        calls = {(cut.scope, s.step) for cut in cuts if cut.kind == "model" for s in cut.sites}
        runs = {(cut.scope, s.at) for cut in cuts if cut.kind != "model" for s in flow.flatten(cut.run)}
        steps = (s for scope in {cut.scope for cut in cuts} for s in self._steps.get(scope, ()))
        return {s.number for s in steps if (s.scope, s.number) in calls or (s.scope, s.stmt.at) in runs}


def _by_function(steps: Iterable[Step]) -> dict[Scope, list[Step]]:
    found: dict[Scope, list[Step]] = {}
    for step in steps:
        found.setdefault(step.scope, []).append(step)
    return found
