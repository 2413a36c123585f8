"""Takes a pipeline and where it was cut, gives for each of its stages on which side it runs once ported: in the app or on Triton."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from triton_migrate.bind.records import Bound
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.cutting.extent import Extent
from triton_migrate.report.document import Side
from triton_migrate.trace.records import Pipeline, Stage


def sides(pipeline: Pipeline, cuts: Iterable[Cut | Bound]) -> tuple[Side, ...]:
    """One per stage. What PyTriton binds (`Bound`) is Triton's by its place; else a stage is where the steps of its data path are."""
    cuts = tuple(cuts)
    bound = tuple(c for c in cuts if isinstance(c, Bound))
    own = tuple(_of(pipeline, c) for c in cuts if isinstance(c, Cut))
    stay = {s.number for s in Extent(pipeline).staying(tuple(c for c in own if c.sites))}
    wanted = pipeline.before | pipeline.after | {s.step for s in pipeline.sites}
    lines: dict[str, list[tuple[int, int]]] = {}  # of those steps, with their numbers
    for step in pipeline.steps if own else ():
        if step.number in wanted:
            lines.setdefault(step.scope.file, []).append((step.stmt.at[0], step.number))

    def side(stage: Stage) -> Side:
        if any(_inside(stage, b) for b in bound):
            return "triton"
        span = stage.span
        steps = [number for line, number in lines.get(span.file, ()) if span.line <= line <= span.end_line]
        return "triton" if steps and not stay.intersection(steps) else "app"

    return tuple(map(side, pipeline.stages))


def _of(pipeline: Pipeline, cut: Cut) -> Cut:
    """A cut that pipelines share, with the predict calls as this one reaches them."""
    places = {site.span for site in cut.sites}
    return replace(cut, sites=tuple(site for site in pipeline.sites if site.span in places))


def _inside(stage: Stage, bound: Bound) -> bool:
    span = bound.span
    return stage.span.file == span.file and span.line <= stage.span.line and stage.span.end_line <= span.end_line
