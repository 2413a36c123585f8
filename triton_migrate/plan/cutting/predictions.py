"""Takes the predict sites of a pipeline, gives the cuts in which only their calls leave the app, or why a call cannot leave alone."""

from __future__ import annotations

from dataclasses import replace

from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.around.registries import alike
from triton_migrate.plan.cutting.alone import receiver, written_at
from triton_migrate.plan.cutting.costs import HEAVY, crossing_cost
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut
from triton_migrate.plan.cutting.hoists import always
from triton_migrate.plan.cutting.liveness import find_block
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.rows import PredictCalls
from triton_migrate.plan.values.types import Types
from triton_migrate.trace.records import PredictSite

WHY = "parsing and formatting need nothing of the model: only the predict call leaves the app"


class Predictions:
    """The predict calls of one pipeline, by themselves."""

    def __init__(self, judge: Judge, types: Types, predicts: PredictCalls) -> None:
        self.judge, self.types, self.predicts = judge, types, predicts

    def cuts(self, sites: tuple[PredictSite, ...]) -> tuple[Cut, ...] | NoCut:
        """A cut for each model, of its predict calls."""
        groups: dict[object, list[PredictSite]] = {}
        for site in sites:
            groups.setdefault((site.scope, site.models), []).append(site)
        found = [self._cut(tuple(same)) for same in groups.values()]
        refused = next((f for f in found if isinstance(f, NoCut)), None)
        return refused or tuple(f for f in found if isinstance(f, Cut))

    def _cut(self, sites: tuple[PredictSite, ...]) -> Cut | NoCut:
        scope, frame = sites[0].scope, sites[0].frame
        if refused := next((r for s in sites if (r := self._stays(s))), None):
            return refused
        inputs, outputs = [], []
        for site in sites:
            ((kind, _),) = self.predicts.rows(site) or ()
            result = self.types.of(site.call, site.frame)
            inputs.append(Crossing("", kind))
            rowwise = site.rule.row_independent and result.kind == "array" and result.rank > 1
            outputs.append(Crossing(_method(site), replace(result, one_row=True) if rowwise and kind.one_row else result))
        if len({(i.type.kind, i.type.dtype, i.type.rank, i.type.one_row) for i in inputs}) > 1:
            return NoCut("the model is called with inputs of different kinds", sites[1].span, "give it arrays of one dtype and shape")
        block, index = find_block(scope.function.body, sites[0].call)
        parts = frozenset(id(p) for s in sites for p in walk(s.call))
        cost = sum(HEAVY for s in self.judge.weight.around(scope) if self.judge.weight.heavy(s, parts)) + crossing_cost(
            (inputs[0], *outputs)
        )
        stacked = all(s.rule.row_independent and self.predicts.sliceable(s, inputs[0].type) for s in sites)
        version = self._version(sites[0])
        if self.judge.registry is not None and not (version and all(alike(version, receiver(s)) for s in sites)):
            return NoCut(f"{sites[0].text} is not of the version that was chosen", sites[0].span, "choose it in the function that calls it")
        return Cut("model", scope, frame, block, index, index, sites, (inputs[0],), tuple(outputs), (), False, stacked, sites[0].call,
                   self.predicts.rows(sites[0]) or (), cost, WHY, registry=self.judge.registry, version=version)  # fmt: skip

    def _version(self, site: PredictSite) -> ir.Expr | None:
        """The local that holds the version to ask for, or what chooses it where the model is called."""
        held, registry = receiver(site), self.judge.registry
        if registry is None or not registry.chooses(self.judge.evaluator, held, site.frame):
            return None
        return (
            held
            if not isinstance(held, (ir.Name, ir.Attribute)) or (isinstance(held, ir.Name) and held.id in site.scope.bindings)
            else None
        )

    def _stays(self, site: PredictSite) -> NoCut | None:
        """Why this call cannot leave alone."""
        if site.rule.fused:
            return NoCut(f"{site.text} does its own pre- and post-processing", site.span, "cut the pipeline: it leaves as it is")
        if (written := written_at(site)) is None:
            return NoCut(f"something else calls {site.text}", site.span, "call it in a statement of its own")
        if not _once(site, *written):
            return NoCut(f"{site.text} stands where it may be called any number of times", site.span, "call it in a statement of its own")
        if len(site.models) != 1 and self._version(site) is None:
            return NoCut(f"{site.text} runs one of several models", site.span, "call each model where it is chosen")
        if not self.predicts.plain_receiver(site, self._version(site)):
            return NoCut(f"{site.text} reads more of the request than its rows", site.span, "call a method of the model on its rows only")
        rows = self.predicts.rows(site) or ()
        if len(rows) != 1:
            return NoCut(f"{site.text} takes {len(rows) or 'no'} values as its rows", site.span, "give it one array")
        ((kind, leaf),) = rows
        if not kind.travels:
            what = "something that cannot be sent" if kind.travels is False else "something of unknown type"
            return NoCut(f"{site.text} is given {what} ({kind.kind})", site.span, "give it a list or a NumPy array")
        result = self.types.of(site.call, site.frame)
        if result.travels is False:
            return NoCut(
                f"{site.text} gives something that cannot be sent ({result.kind})", site.span, "make an array of it in one function"
            )
        if any(self.judge.uses_loaded(p, site.frame) for p in walk(leaf)):
            return NoCut(f"what {site.text} is given is made by something loaded, which goes with the model", site.span,
                         "make the rows in a statement of their own")  # fmt: skip
        return None


def _once(site: PredictSite, stmt: ir.Stmt, path: tuple[ir.Expr, ...]) -> bool:
    """Whether the call is made exactly once when its statement runs: not in a lambda, a comprehension, after `and`, or by a `while`."""
    return not isinstance(stmt, ir.While) and not site.scope.is_lambda and always(path)


def _method(site: PredictSite) -> str:
    """What the app calls of the model: the name of the output."""
    return getattr(site.call.func, "attr", "output")
