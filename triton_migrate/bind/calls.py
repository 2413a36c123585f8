"""Takes a pipeline, gives its predict calls as a bound model where nothing but typed rows would travel, or why they cannot be."""

from __future__ import annotations

from triton_migrate.bind.functions import locks_at
from triton_migrate.bind.reach import Reach
from triton_migrate.index import ir
from triton_migrate.plan.cutting.cut import Cut, NoCut, typed
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.predictions import Predictions
from triton_migrate.trace.records import PredictSite


def typed_calls(cutter: Cutter, reach: Reach) -> tuple[tuple[Cut, str], ...]:
    """A cut for each function with predict calls, and the expression of their receiver in the owner; empty if any cannot be so bound."""
    cuts = Predictions(cutter.judge, cutter.types, cutter.predicts).cuts(cutter.pipeline.sites)
    found = []
    for cut in () if isinstance(cuts, NoCut) else cuts:
        receivers = {_receiver(reach, site) for site in cut.sites}
        known = len(receivers) == 1 and None not in receivers
        crossings = (*cut.inputs, *cut.outputs)
        if not known or not all(typed(c.type) for c in crossings) or any(next(locks_at(cutter, s), None) for s in cut.sites):
            return ()
        found.append((cut, str(receivers.pop())))
    return tuple(found)


def _receiver(reach: Reach, site: PredictSite) -> str | None:
    func = site.call.func
    return reach.expression(func.value, site.frame) if isinstance(func, ir.Attribute) else None
