"""Takes pipelines and verdicts, gives the `PortPlan`: one planned model per cut, shared by the entries that reach it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from triton_migrate.classify import Verdict
from triton_migrate.entries.records import Consumer, Task
from triton_migrate.index import ir
from triton_migrate.plan.around.versions import Registries
from triton_migrate.plan.cutting.alone import reads_more
from triton_migrate.plan.cutting.choice import Where
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut, Way
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.leaving.errors import answered, caught, failed_with, known_as, registered
from triton_migrate.plan.planned import PlannedModel, pipeline_name
from triton_migrate.plan.records import NotPorted
from triton_migrate.plan.sharing import identity, shared
from triton_migrate.plan.staged.graph import Graph, best
from triton_migrate.plan.staged.parts import with_parts
from triton_migrate.plan.values.answers import Answers
from triton_migrate.plan.values.tensors import streamed, tensor
from triton_migrate.plan.values.vtype import VType, union
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Value
from triton_migrate.trace.models import model_name
from triton_migrate.trace.records import Cell, ModelRef, Pipeline

FROZEN = VType("array", "uint8", 2, one_row=True, declared=True)  # a call of a model that is served alone, and its result
OPEN = frozenset({"modular", "loose"})  # what leaves the application is a choice
TRIES = 8  # ways to cut one pipeline that are written before it is given up


@dataclass(frozen=True, slots=True)
class PortPlan:
    models: tuple[PlannedModel, ...]
    not_ported: tuple[NotPorted, ...]


class Planner:
    """Cuts every selected pipeline; those with the same cut, or that only call the same model, share one served model.

    A cut may turn out not to be writable: `reject` it, and `plan` again with the next one.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        selected: tuple[tuple[Pipeline, Verdict], ...],
        where: Where = Where.CHEAPEST,
        live: frozenset[Cell] = frozenset(),
        switched: frozenset[Cell] = frozenset(),
        staged: frozenset[str] = frozenset({"modular"}),
        registries: Registries | None = None,
    ) -> None:
        """`live`: state that changes at run time; tight pipelines are only cut so that it stays in the app, the others so that what is
        `switched` does: state that another entry sets anew. `staged`: categories whose pipelines become an ensemble with a
        model for each stage, where they can. `registries`: models that are versions of one."""
        self.evaluator, self.where, self._handled = evaluator, where, registered(evaluator)
        self._refused: dict[str, NotPorted] = {}
        self._open: dict[str, _Open] = {}
        answers = Answers(evaluator)
        for pipeline, verdict in selected:
            entry = pipeline.entry.id
            registry = registries.of(pipeline) if registries is not None else None
            kept = live if verdict.category == "tight" else switched
            cutter = Cutter(evaluator, pipeline, kept, registry=registry, answers=answers)
            ways = cutter.ways(where) if not isinstance(pipeline.entry, Consumer) else _stays(pipeline)
            if verdict.category == "individual" and registry is None and where is Where.CHEAPEST and (whole := cutter.alone()):
                cuts = ways if not isinstance(ways, NoCut) else ()
                ways = (*cuts, whole) if cuts and reads_more(cutter.judge, pipeline.sites) else (whole, *cuts)
            alone_last = verdict.category in OPEN and registry is None
            if isinstance(ways, NoCut) and alone_last:
                ways, alone_last = _least(cutter, ways), False
            if isinstance(ways, NoCut):
                self._refused[entry] = NotPorted(entry, ways.reason, ways.span, ways.fix)
                continue
            self._open[entry] = _Open(pipeline, cutter, list(ways), least=alone_last)
            if verdict.category in staged and where is not Where.MODEL and registry is None:
                self._open[entry].stage(best(evaluator, pipeline, cutter, ways, frozenset(e.span for e in verdict.evidence)))
        self._share()

    def _share(self) -> None:
        """A model that some pipeline calls in another way is not served by itself, too."""
        others = {m.id for way in self._open.values() if not _is_alone(way.left[0]) for m in way.pipeline.models}
        for way in self._open.values():
            if _is_alone(way.left[0]) and len(way.left) > 1 and others & {m.id for m in way.pipeline.models}:
                del way.left[0]
        staged = frozenset(entry for entry, way in self._open.items() if way.graphs)
        asked = {entry: way for entry, way in self._open.items() if not isinstance(way.pipeline.entry, Task)}  # a task is run for them
        together = shared({entry: way.left for entry, way in asked.items()}, staged & asked.keys())
        for entry, first in together.items() if self.where is Where.CHEAPEST else ():
            way = self._open[entry]
            way.left.insert(0, first)
            if entry in staged:
                way.single("another entry, which cannot be cut into stages, needs the same model as a whole")

    def plan(self) -> PortPlan:
        """What the cheapest ways that were not rejected come to."""
        groups: dict[object, list[tuple[Pipeline, Cut, Cutter]]] = {}
        chosen: list[Cut] = []
        for way in self._open.values():
            way.left.sort(key=lambda cuts: _collides(cuts, chosen))  # stable: the cheapest that is not cut otherwise already
            chosen += way.left[0]
            for cut in way.left[0]:
                groups.setdefault(identity(cut), []).append((way.pipeline, cut, way.cutter))
        taken: set[str] = set()
        models, graphs = [], {}
        for members in groups.values():
            made = _planned(self.evaluator, members, taken, self._handled)
            taken.add(made.name)
            models.append(made)
            if (found := next((g for way in self._open.values() if (g := way.graphs.get(made.cut)) is not None), None)) is not None:
                graphs[made.name] = found
        return PortPlan(with_parts(tuple(models), graphs), tuple(self._refused.values()))

    def reject(self, entry: str, problem: NoCut) -> None:
        """Go on to the next way of a pipeline; what nearly was one, or the first problem, is told when none is left."""
        way = self._open[entry]
        way.problems.append(problem)
        if way.graphs:
            way.single(f"its stages cannot be models of their own: {problem.reason} ({problem.span.place})")
            return
        failed = way.left.pop(0)
        way.left = [w for w in way.left if _beginning(w) != _beginning(failed)]
        if not way.left or len(way.problems) == TRIES:
            first = way.problems[0]
            if way.together and len(way.pipeline.sites) > 1 and not isinstance(each := way.cutter.apart(), NoCut):
                way.left, way.together = [each], False
                return
            if way.least and not isinstance(last := _least(way.cutter, first), NoCut):
                way.left, way.least = list(last), False
                return
            told = way.cutter.nearly or first
            self._refused[entry] = NotPorted(entry, told.reason, told.span, told.fix)
            del self._open[entry]


def _collides(cuts: tuple[Cut, ...], chosen: list[Cut]) -> bool:
    """Whether another pipeline cuts statements that these cuts take, in another way."""
    return any(
        c.scope is o.scope and identity(c) != identity(o) and c.span.line <= o.span.end_line and o.span.line <= c.span.end_line
        for c in cuts
        for o in chosen
    )


def _is_alone(cuts: tuple[Cut, ...]) -> bool:
    return cuts[0].kind == "alone"


def _least(cutter: Cutter, problem: NoCut) -> tuple[Way, ...] | NoCut:
    """The model alone, where nothing around it can leave with it."""
    why = f"{problem.reason} ({problem.span.place}); so the model is served by itself, and the application's own code stays as it is"
    found = tuple(replace(cut, why=why) for cut in cutter.alone())
    return (found,) if found else problem


def _stays(pipeline: Pipeline) -> NoCut:
    site = pipeline.sites[0]
    return NoCut(f"{site.text} takes or gives objects that only this process has, or its model is made anew for each call", site.span,
                 "call the model with arrays, lists, text or numbers, and load it once")  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A pipeline that can be cut in some way that is left."""

    pipeline: Pipeline
    cutter: Cutter
    left: list[Way]
    problems: list[NoCut] = field(default_factory=list)
    graphs: dict[Cut, Graph] = field(default_factory=dict)  # of the first way, where it is made of stages
    together: bool = True  # a cut for each predict call may be tried when nothing else is left
    least: bool = False  # the model alone may be tried when nothing else is left

    def stage(self, found: tuple[Way, dict[Cut, Graph]] | str) -> None:
        """Try the stages first; or say why the pipeline is one model."""
        if isinstance(found, str):
            self.single(found)
            return
        way, graphs = found
        own = {cut: replace(cut) for cut in way}  # the same way is tried again without stages
        self.graphs = {own[cut]: graph for cut, graph in graphs.items()}
        self.left.insert(0, tuple(own.values()))

    def single(self, why: str) -> None:
        """Go on without stages."""
        self.left = [way for way in self.left if not any(cut in self.graphs for cut in way)]
        self.graphs = {}
        self.left = [tuple(replace(cut, why=f"{cut.why}; one model and no ensemble: {why}") for cut in way) for way in self.left]


def _beginning(cuts: tuple[Cut, ...]) -> object:
    """What a way takes over from the app: ways that begin alike fail alike."""
    return tuple((c.kind, c.scope, c.first, c.receivers) for c in cuts)


def _planned(
    evaluator: Evaluator, members: list[tuple[Pipeline, Cut, Cutter]], taken: set[str], handled: tuple[Value, ...]
) -> PlannedModel:
    cuts = _distinct_cuts([c for _, c, _ in members])
    first = cuts[0]
    cutter = next(cutter for _, cut, cutter in members if cut is first)
    refs = tuple(dict.fromkeys(m for cut in cuts for s in cut.sites for m in s.models))
    names: set[str] = set()
    shape = streamed if first.streams else tensor
    telling = [o for p, o, _ in members if not isinstance(p.entry, Task)] or cuts  # a task does not say what it is given
    outputs: dict[str, Crossing] = {c.name: c for cut in cuts for c in _fitting(cut.outputs, [o.outputs for o in telling])}
    inputs = [replace(c, name=c.name or _variable(first)) for c in _fitting(first.inputs, [o.inputs for o in telling])]
    errors: dict[Cut, dict[str, None]] = {c: {} for c in cuts}
    for pipeline, cut, _ in members:
        kept = next(c for c in cuts if _place(c) == _place(cut))
        told = any(s.beside(cut.scope) for s in cut.sites)  # who asks for the job's state sees what it raised
        known = failed_with(evaluator, pipeline, cut) if told else (*caught(evaluator, cut), *answered(evaluator, pipeline, cut, handled))
        errors[kept].update(dict.fromkeys(known))
    answers = {cut: _answers(evaluator, cut, cutter) for cut in cuts}
    broad = {c: {"Exception": None} if "Exception" in e else {} for c, e in errors.items()}  # the last: it is all others, too
    told_as = tuple(tuple(dict.fromkeys((*answers[c], *(n for n in e if n not in broad[c]), *broad[c]))) for c, e in errors.items())
    wished = model_name(refs[0]) if first.kind in ("model", "alone") and refs and first.registry is None else pipeline_name(first.scope)
    name = _free_name(wished, first.scope, taken, refs)
    if first.kind == "alone":
        inputs, outputs = [Crossing("call", FROZEN)], {"": Crossing("result", FROZEN)}
    return PlannedModel(
        name, tuple(cuts), cutter, tuple((shape(c, names), c) for c in inputs), tuple((shape(c, names, True), c) for c in outputs.values()),
        all(c.stacked for c in cuts), told_as,
        tuple(dict.fromkeys(p.entry.id for p, _, _ in members)), refs,
        reached=tuple(c for _, c, _ in members),
    )  # fmt: skip


def _answers(evaluator: Evaluator, cut: Cut, cutter: Cutter) -> tuple[str, ...]:
    """The error answers that leave with the cut: the client raises them again."""
    found = cutter.judge.answers.raised(cut.moved, cut.scope) if cut.kind == "region" else ()
    return tuple(sorted(name for value in found if (name := known_as(evaluator, value, cut.scope.file)) is not None))


def _distinct_cuts(cuts: list[Cut]) -> list[Cut]:
    """The same run reached from several entries is cut once, stacked where it may be for each; sites of the same function are gathered."""
    found: dict[object, Cut] = {}
    for cut in sorted(cuts, key=lambda cut: cut.stacked):
        found.setdefault(_place(cut), cut)
    return sorted(found.values(), key=lambda cut: min(i for i, other in enumerate(cuts) if _place(other) == _place(cut)))


def _fitting(crossings: tuple[Crossing, ...], every: list[tuple[Crossing, ...]]) -> tuple[Crossing, ...]:
    """Values that cross, each as what it is for every entry: here an `int`, there perhaps `None`."""
    held = {c.name: [o.type for others in every for o in others if o.name == c.name] for c in crossings}
    return tuple(replace(c, type=union(tuple(held[c.name] or [c.type]))) for c in crossings)


def _place(cut: Cut) -> object:
    return (cut.scope, cut.span if cut.kind not in ("model", "alone") else tuple(s.span for s in cut.sites))


def _variable(cut: Cut) -> str:
    """What the app calls the rows it predicts with."""
    rows = next((a for s in cut.sites for a in (*s.call.args, *(v for _, v in s.call.keywords))), None)
    return rows.id if isinstance(rows, ir.Name) else "input"


def _free_name(name: str, scope: Scope, taken: set[str], models: tuple[ModelRef, ...]) -> str:
    """Two models cut from one artifact are told apart by the function that calls them, two cut from one function by their model."""
    other = model_name(models[0]) if models and name.endswith(scope.name) else scope.name
    made = name if name not in taken else f"{name}_{other}"
    while made in taken:
        made += "_2"
    return made
