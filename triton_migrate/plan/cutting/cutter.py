"""Takes a pipeline, gives the `Cut`: which expression or run of statements leaves the app, and which values cross.

Two kinds are weighed against each other at every level of the call chain from the handler to the predict site: only the predict
call, or a run of statements around it. What costs: values whose type is not known, statements that keep a model library in the app,
values that cannot travel (illegal), statements moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from triton_migrate.entries.parameters import in_path
from triton_migrate.entries.records import Entry, Task
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.registries import Registry
from triton_migrate.plan.cutting.alone import alone
from triton_migrate.plan.cutting.apart import apart
from triton_migrate.plan.cutting.choice import Choice, Where
from triton_migrate.plan.cutting.cut import Cut, NoCut, Way
from triton_migrate.plan.cutting.extent import Extent
from triton_migrate.plan.cutting.predictions import Predictions
from triton_migrate.plan.cutting.regions import Regions
from triton_migrate.plan.cutting.streams import Streams
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.rows import PredictCalls, frame_at
from triton_migrate.plan.values.answers import Answers
from triton_migrate.plan.values.types import Types
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import TaskDefine
from triton_migrate.trace.records import Cell, Pipeline


def _sent(evaluator: Evaluator, pipeline: Pipeline) -> frozenset[Scope]:
    """The tasks whose arguments a queue carries as JSON, whoever puts them there."""
    queue = pipeline.entry.queue if isinstance(pipeline.entry, Task) else pipeline.queue
    if not any(rule.json and rule.queue == queue for rule in evaluator.rulebook.of_role(TaskDefine)):
        return frozenset()
    own = {pipeline.entry.scope} if isinstance(pipeline.entry, Task) else set()
    return frozenset(own | {frame_at(s, s.queued).scope for s in pipeline.sites if s.queued})


def _routed(pipeline: Pipeline) -> dict[tuple[Scope, str], str]:
    entry = pipeline.entry
    return {(entry.scope, name): kind for name, kind in in_path(entry.path).items()} if isinstance(entry, Entry) else {}


class Cutter:
    """Chooses the cut of one pipeline."""

    def __init__(
        self, evaluator: Evaluator, pipeline: Pipeline, live: frozenset[Cell] = frozenset(), left: Way = (),
        registry: Registry | None = None, whole: Cutter | None = None, answers: Answers | None = None,
    ) -> None:  # fmt: skip
        """`whole`: the cutter of the pipeline that this one is a part of; what that knows of it need not be found out again.
        `answers`: what is known of types from the pipelines before."""
        self.evaluator, self.rulebook, self.pipeline, self.live = evaluator, evaluator.rulebook, pipeline, live
        self.left = left  # other cuts, whose statements leave with those
        self.nearly: NoCut | None = None  # the one thing that keeps a better way from being legal
        callers = {}
        for site in pipeline.sites:
            scopes = [f.scope for _, f in site.chain[1:]] + [site.scope]
            callers.update(dict(zip(scopes, site.chain, strict=False)))
        self._regions: dict[object, Regions] = {}
        if whole is not None and all(whole.types.callers.get(scope) == call for scope, call in callers.items()):
            self.types: Types = whole.types
            self._regions = whole._regions
        else:
            answers = whole.types.answers if whole is not None else answers
            self.types = Types(evaluator, callers, _sent(evaluator, pipeline), _routed(pipeline), answers)
        self.registry = registry  # whose entries are versions of the model
        self.judge: Judge = whole.judge if whole is not None else Judge(evaluator, pipeline, self.types, live, registry)
        self.predicts = PredictCalls(evaluator, self.types, pipeline.sites)

    def ways(self, where: Where = Where.CHEAPEST) -> tuple[tuple[Cut, ...], ...] | NoCut:
        """The legal ways, the best first: one run of statements, or the predict calls, one cut per model."""
        found: list[tuple[Cut, ...]] = []
        refusing: list[Streams | Regions] = []
        for depth, frame, calls in self.levels():
            regions = self.regions(frame, calls, depth)
            streams = None
            if frame.scope.function.is_generator and self.registry is None:
                streams = Streams(self.pipeline, self.judge, self.types, frame, calls, depth)
                found += [(c,) for c in streams.cuts()]
            found += [(c,) for c in regions.cuts(self.predicts)]
            refusing.append(streams if streams is not None and streams.problems else regions)
            self.nearly = self.nearly or regions.nearly
        calls_only = Predictions(self.judge, self.types, self.predicts).cuts(self.pipeline.sites)
        if found or not isinstance(calls_only, NoCut):
            return Choice(Extent(self.pipeline), self.judge, calls_only, where).of(tuple(found))
        site = self.pipeline.sites[0]
        each = self.apart(where) if len(self.pipeline.sites) > 1 else NoCut(
            "the predict calls are in functions that no single function calls all of", site.span,
            "call them from one function of plain arguments and results")  # fmt: skip
        if not isinstance(each, NoCut):
            return (each,)
        return next(chain.from_iterable(refused.problems for refused in refusing), each)

    def regions(self, frame: Frame, calls: tuple[ir.Call, ...], depth: int) -> Regions:
        """The runs of one function around these calls: the same for all models of a pipeline that are reached through them."""
        left = frozenset(s.at for cut in self.left if cut.scope is frame.scope for s in flow.flatten(cut.moved))
        key = (frame, tuple(map(id, calls)), depth, left)
        if key not in self._regions:
            self._regions[key] = Regions(self.judge, self.types, self.predicts, frame, calls, depth, left)
        return self._regions[key]

    def apart(self, where: Where = Where.CHEAPEST) -> tuple[Cut, ...] | NoCut:
        """A cut for the predict calls of each function, or for each call."""

        def ways(part: Pipeline, left: Way) -> tuple[Way, ...] | NoCut:
            return Cutter(self.evaluator, part, self.live, (*self.left, *left), self.registry, self).ways(where)

        return apart(self.pipeline, ways)

    def alone(self) -> tuple[Cut, ...]:
        """The model by itself, for pipelines that are individual; empty where a stand-in cannot take its place."""
        return alone(self.pipeline.sites, self.types, self.judge, self.predicts)

    # ------------------------------------------------------------ levels

    def levels(self) -> Iterator[tuple[int, Frame, tuple[ir.Call, ...]]]:
        """Functions that all predict sites are reached through, innermost first, with the calls in them that lead there.

        Where a worker runs the model they are the worker's: the queue stays, and its task becomes a client of Triton.
        """
        sites = self.pipeline.sites
        deepest, enqueued = min(len(s.chain) for s in sites), max(s.queued for s in sites)
        for depth in range(deepest, enqueued - 1, -1):  # what puts work on a queue goes on doing so
            places = [_written(frame_at(s, depth), s.chain[depth][0] if depth < len(s.chain) else s.call) for s in sites]
            frames = {frame for frame, _ in places}
            calls = {call.at: call for _, call in places if call is not None}
            if {f.scope.kind for f in frames} != {"function"}:
                continue  # a file's top level
            if len({f.scope for f in frames}) == 1 and all(call is not None for _, call in places):
                yield depth, next(iter(frames)), tuple(calls.values())


def _written(frame: Frame, call: ir.Call) -> tuple[Frame, ir.Call | None]:
    """The function that a call stands in, and what stands there: something else may make the call (`executor.submit(f, x)`).

    A lambda is part of what it is handed to (`map(lambda row: model.predict(row), rows)`); one kept under a name is handed to nothing.
    """
    here = [e for s in frame.scope.body for e in flow.every(s) if isinstance(e, ir.Call)]
    if not frame.scope.is_lambda or frame.parent is None:
        return frame, next((e for e in here if e.at == call.at), call)
    at, around = frame.scope.function.at, frame.parent
    holders = (e for s in around.scope.body for e in flow.every(s) if isinstance(e, ir.Call))
    given = (e for e in holders for a in (*e.args, *(v for _, v in e.keywords)) if isinstance(a, ir.Lambda) and a.at == at)
    holder = next(given, None)
    return (around, None) if holder is None else _written(around, holder)
