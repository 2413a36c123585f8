"""Takes a cutter, gives the cuts that take a whole function between the handler and the predict calls, with its early returns.

`Regions` does not cut there: a run with a way out in its middle cannot be put in the middle of a function. All of a function can.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.cut import Crossing, Cut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.regions import WHY
from triton_migrate.plan.values.vtype import VType, union
from triton_migrate.resolve.scopes import Frame


def whole_functions(cutter: Cutter) -> Iterator[Cut]:
    for depth, frame, calls in cutter.levels():
        if depth and (cut := _whole(cutter, frame, calls)) is not None:
            yield cut


def _whole(cutter: Cutter, frame: Frame, calls: tuple[ir.Call, ...]) -> Cut | None:
    function = frame.scope.function
    first, last = int(function.docstring), len(function.body) - 1
    run = function.body[first:]
    returns = [s for s in flow.flatten(run) if isinstance(s, ir.Return)]
    if function.is_async or function.is_generator or len(returns) < 2 or not isinstance(run[-1], ir.Return):
        return None
    if not all(cutter.judge.movable(stmt, frame, final=True) for stmt in run) or cutter.judge.writes_files(frame.scope, run[0]):
        return None
    if cutter.judge.filled.parted(frame.scope, run) or cutter.judge.answers.raised(run, frame.scope):
        return None
    names = sorted(flow.exposed(run) & {p.name for p in function.parameters})
    receivers = tuple(n for n in names if cutter.judge.is_receiver(n, frame))
    inputs = tuple(Crossing(n, cutter.types.name(n, frame, run[0].at)) for n in names if n not in receivers)
    result = _result(cutter, frame, returns)
    stuck = any(c.type.travels is False or c.type.kind in ("file", "path") for c in inputs) or result.travels is False
    if stuck or not inputs or any(liveness.fills(run, c.name) for c in inputs):
        return None
    sites, outputs = tuple(cutter.pipeline.sites), (Crossing("result", result),)
    return Cut(
        "region", frame.scope, frame, function.body, first, last, sites, inputs, outputs, receivers, True, False, calls[0], (), 0.0, WHY
    )


def _result(cutter: Cutter, frame: Frame, returns: list[ir.Return]) -> VType:
    function = frame.scope.function
    declared = (
        cutter.types.declared.annotation(function.returns, frame.parent or frame) if function.returns is not None else VType("unknown")
    )
    return declared if declared.kind != "unknown" else union(tuple(cutter.types.of(s.value, frame) for s in returns))
