"""Takes a function and a block of it, gives what it comes to that the block runs in each round of a loop."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.costs import CARRIED, ROUND
from triton_migrate.plan.cutting.cut import Crossing


def price(function: ir.Function, block: ir.Block, inputs: tuple[Crossing, ...]) -> float:
    """The price of a call in each round of a loop whose results are yielded one by one."""
    loops = tuple(flow.loops_around(function.body, block[0].at)) if function.is_generator else ()
    if not loops:
        return 0
    return CARRIED if _carried(loops[-1]) & {c.name for c in inputs} else ROUND


def unknown_state(function: ir.Function, block: ir.Block, inputs: tuple[Crossing, ...]) -> Crossing | None:
    """What one round of a loop hands to the next and nothing is known of: a tensor or a cache as a rule."""
    loops = tuple(flow.loops_around(function.body, block[0].at))
    return next((c for c in inputs if c.type.kind == "unknown" and loops and c.name in _carried(loops[-1])), None)


def _carried(loop: ir.For | ir.While) -> set[str]:
    """What one round of a loop takes over from the round before."""
    return flow.exposed(loop.body) & liveness.written(loop.body)
