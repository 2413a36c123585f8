"""Takes a pipeline whose model is called among other things, gives the statements that become a function of their own, to be bound.

The function is put above the one that they were in; what that reads and binds around them are its parameters and its result.
"""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.bind.fields import fields_of, use_of
from triton_migrate.bind.functions import locked
from triton_migrate.bind.reach import Reach
from triton_migrate.bind.records import Argument
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting.costs import MOVED, crossing_cost
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.regions import Regions
from triton_migrate.plan.values.tensors import tensor
from triton_migrate.plan.values.vtype import UNKNOWN, VType
from triton_migrate.resolve.scopes import Scope


@dataclass(frozen=True, slots=True)
class Outline:
    """A run of statements as a function: `arguments` in the order of its parameters, `replaced` what its text spells differently."""

    cut: Cut
    arguments: tuple[Argument, ...]
    result: Crossing
    replaced: tuple[tuple[ir.At, str], ...]

    @property
    def place(self) -> Scope:
        """What the function is put above: the outermost definition around the run."""
        scope = self.cut.scope
        while scope.parent is not None and scope.parent.kind != "module":
            scope = scope.parent
        return scope


def outline(cutter: Cutter, reach: Reach) -> Outline | NoCut:
    """The run whose function would have the cheapest signature."""
    found: list[tuple[float, Outline]] = []
    tried: list[Regions] = []
    for depth, frame, calls in cutter.levels():
        tried.append(regions := cutter.regions(frame, calls, depth))
        for cut in regions.cuts(cutter.predicts):
            if (
                cut.kind == "region"
                and not cut.exits
                and not cut.lifts
                and not cut.hoists
                and cut.run
                and (made := _made(cutter, reach, cut)) is not None
            ):
                found.append((crossing_cost((*cut.inputs, *cut.outputs)) + MOVED * len(cut.run), made))
    if found:
        return min(found, key=lambda each: each[0])[1]
    site = cutter.pipeline.sites[0]
    none = NoCut("no run of statements around the model could be a function", site.span,
                 "call the model in a function of plain arguments and results")  # fmt: skip
    return next((problem for regions in tried for problem in regions.problems), none)


def _made(cutter: Cutter, reach: Reach, cut: Cut) -> Outline | None:
    if any(locked(cutter, s, cut.frame) for s in cut.run) or any(isinstance(p, ir.Await) for s in cut.run for p in flow.every(s)):
        return None
    taken = {"ERROR"}
    arguments = []
    for crossing in cut.inputs:
        use = use_of(cutter.evaluator, cut.scope, crossing.name, cut.run)
        if use.changed:
            return None
        fields = fields_of(use, crossing.type)
        sent = Crossing(crossing.name, UNKNOWN) if fields else crossing
        arguments.append(Argument(crossing.name, False, tensor(sent, taken), sent, fields))
    for name in cut.receivers:
        live = reach.object(cutter.evaluator.name(name, cut.frame))
        if live is None:
            return None
        arguments.insert(0, Argument(name, False, None, Crossing(name, UNKNOWN), live=live))
    chains = cutter.judge.loaded_chains((e for s in cut.run for e in flow.every(s)), cut.frame)
    live_chains = [(e, reach.expression(e, cut.frame)) for e in chains]
    if any(live is None or not live.startswith("application()") for _, live in live_chains):
        return None
    result = cut.outputs[0] if len(cut.outputs) == 1 else Crossing("result", VType("tuple", items=tuple(c.type for c in cut.outputs)))
    return Outline(cut, tuple(arguments), result, tuple((e.at, f"bindings.{live}") for e, live in live_chains))
