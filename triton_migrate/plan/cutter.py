"""Takes a pipeline, gives the `Cut`: which expression or run of statements leaves the app, and which values cross.

Two kinds are weighed against each other at every level of the call chain from the handler to the predict site: only the predict
call, or a run of statements around it. What costs: values whose type is not known, statements that keep a model library in the app,
values that cannot travel (illegal), statements moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.costs import HEAVY, crossing_cost
from triton_migrate.plan.cut import Crossing, Cut, NoCut
from triton_migrate.plan.judge import Judge
from triton_migrate.plan.liveness import find_block
from triton_migrate.plan.regions import Regions
from triton_migrate.plan.rows import PredictCalls, frame_at
from triton_migrate.plan.streams import Streams
from triton_migrate.plan.types import Types
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.trace.records import Pipeline, PredictSite


class Cutter:
    """Chooses the cut of one pipeline."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline) -> None:
        self.evaluator, self.rulebook, self.pipeline = evaluator, evaluator.rulebook, pipeline
        callers = {}
        for site in pipeline.sites:
            scopes = [f.scope for _, f in site.chain[1:]] + [site.scope]
            callers.update(dict(zip(scopes, site.chain, strict=False)))
        self.types = Types(evaluator, callers)
        self.judge = Judge(evaluator, pipeline, self.types)
        self.predicts = PredictCalls(evaluator, self.types, pipeline.sites)

    def ways(self) -> tuple[tuple[Cut, ...], ...] | NoCut:
        """The legal ways, the cheapest first: one run of statements, or the predict calls, one cut per model."""
        found: list[tuple[Cut, ...]] = []
        problems: list[NoCut] = []
        for depth, frame, calls in self._levels():
            streams = Streams(self.pipeline, self.judge, self.types, frame, calls, depth)
            regions = Regions(self.pipeline, self.judge, self.types, self.predicts, frame, calls, depth)
            found += [(c,) for c in (*streams.cuts(), *regions.cuts())]
            problems += streams.problems or regions.problems
        if calls_only := self._model_cuts():
            found.insert(0, calls_only)
        if found:
            return tuple(sorted(found, key=lambda cuts: sum(c.cost for c in cuts)))
        if problems:
            return problems[0]
        site = self.pipeline.sites[0]
        return NoCut("the predict calls are in functions that no single function calls all of", site.span,
                     "call them from one function of plain arguments and results")  # fmt: skip

    # ------------------------------------------------------------ levels

    def _levels(self) -> Iterator[tuple[int, Frame, tuple[ir.Call, ...]]]:
        """Functions that all predict sites are reached through, innermost first, with the calls in them that lead there."""
        sites = self.pipeline.sites
        deepest = min(len(s.chain) for s in sites)
        for depth in range(deepest, -1, -1):
            frames = {frame_at(s, depth) for s in sites}
            if len({f.scope for f in frames}) == 1:
                calls = {id(c): c for c in (s.chain[depth][0] if depth < len(s.chain) else s.call for s in sites)}
                yield depth, next(iter(frames)), tuple(calls.values())

    # ------------------------------------------------------------ only the predict call

    def _model_cuts(self) -> tuple[Cut, ...]:
        """A cut per model, of its predict calls only; empty when some call cannot be taken alone."""
        groups: dict[object, list[PredictSite]] = {}
        for site in self.pipeline.sites:
            groups.setdefault((site.scope, site.models), []).append(site)
        cuts = [self._model_cut(tuple(sites)) for sites in groups.values()]
        return tuple(c for c in cuts if c is not None) if all(cuts) else ()

    def _model_cut(self, sites: tuple[PredictSite, ...]) -> Cut | None:
        scope, frame = sites[0].scope, sites[0].frame
        if any(s.rule.fused or len(s.models) != 1 or not self.predicts.plain_receiver(s) for s in sites):
            return None
        inputs, outputs = [], []
        for site in sites:
            rows = self.predicts.rows(site) or ()
            result = self.types.of(site.call, site.frame)
            if len(rows) != 1 or not rows[0][0].travels or result.travels is False or result.kind == "tensor":
                return None
            if any(self.judge.uses_loaded(p, site.frame) for p in walk(rows[0][1])):
                return None  # the rows are made by something loaded: it goes with the model
            inputs.append(Crossing("", rows[0][0]))
            rowwise = site.rule.row_independent and result.kind == "array" and result.rank > 1
            outputs.append(Crossing(_method(site), replace(result, one_row=True) if rowwise and rows[0][0].one_row else result))
        if len({(i.type.kind, i.type.dtype, i.type.rank, i.type.one_row) for i in inputs}) > 1:
            return None
        block, index = find_block(scope.function.body, sites[0].call)
        parts = frozenset(id(p) for s in sites for p in walk(s.call))
        cost = sum(HEAVY for s in self.judge.around(scope) if self.judge.heavy(s, parts)) + crossing_cost((inputs[0], *outputs))
        stacked = all(s.rule.row_independent and self.predicts.sliceable(s, inputs[0].type) for s in sites)
        return Cut("model", scope, frame, block, index, index, sites, (inputs[0],), tuple(outputs), (), False,
                   stacked, sites[0].call, self.predicts.rows(sites[0]) or (), cost,
                   "parsing and formatting need nothing of the model: only the predict call leaves the app")  # fmt: skip


def _method(site: PredictSite) -> str:
    return site.call.func.attr if isinstance(site.call.func, ir.Attribute) else "output"
