"""Takes a region cut of a modular pipeline, gives the `Graph` of its stages for an ensemble, or why it is one model.

Each stage becomes a cut of its own; what one stage hands to the next is an edge by the user's name for the value. Stages whose values
cannot be sent between processes are one stage. The statements run in order and every edge leads forward, so the graph has no circle;
each request is one row of every tensor, so no stage changes the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.cut import Cut, Way
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.drivers import whole_functions
from triton_migrate.plan.staged.stagecut import StageCut, Values, key
from triton_migrate.plan.staged.units import Unit, Units, joined
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Pipeline

LEAST = 2  # stages that are worth an ensemble
CANDIDATES = 40  # ways to cut a pipeline that are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A value between stages. `outer`: it comes from the application or goes to it, so it has the tensor that the client uses."""

    name: str
    type: VType
    outer: bool


@dataclass(frozen=True, slots=True, eq=False)
class GraphStage:
    """One step: its cut, and the edges that feed its inputs and that its outputs write, in their order."""

    cut: Cut
    cutter: Cutter
    given: tuple[Edge, ...]
    made: tuple[Edge, ...]
    key: object  # stages of equal keys do the same
    callee: Scope | None  # the stage function, if it is all of it


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    stages: tuple[GraphStage, ...]
    pure: int  # stages that are one call of a stage function


def best(
    evaluator: Evaluator, pipeline: Pipeline, cutter: Cutter, ways: tuple[Way, ...], stages: frozenset[Span]
) -> tuple[Way, dict[Cut, Graph]] | str:
    """The way whose cuts have most stages and least between them, of equals the cheapest, with their graphs; or why there is none."""
    found: list[tuple[tuple[int, int, int], Way, dict[Cut, Graph]]] = []
    whys: dict[str, None] = {}
    for way in (*ways[:CANDIDATES], *((cut,) for cut in whole_functions(cutter))):
        made = {cut: graph(evaluator, pipeline, cutter, cut, stages) for cut in way}
        graphs = {cut: g for cut, g in made.items() if isinstance(g, Graph)}
        whys.update(dict.fromkeys(g for g in made.values() if isinstance(g, str)))
        if graphs:
            pure, every = sum(g.pure for g in graphs.values()), sum(len(g.stages) for g in graphs.values())
            back = sum(len({c.name for c in cut.inputs} & {c.name for c in cut.outputs}) for cut in way)  # a list that a loop fills
            found.append(((-back, pure, pure - every), way, graphs))
    if not found:
        return next(iter(whys), "only the predict call leaves")
    _, way, graphs = max(found, key=lambda each: each[0])
    return way, graphs


def graph(evaluator: Evaluator, pipeline: Pipeline, cutter: Cutter, cut: Cut, stages: frozenset[Span]) -> Graph | str:
    """`stages`: the places of the functions that are stages. A text says why there is no ensemble, and where."""
    if cut.kind != "region" or cut.streams or cut.dropped:
        return "its results are streamed, or only the predict call leaves"
    if cut.exits:
        return f"the application may answer where its model is looked up ({Span(cut.scope.file, *cut.exits[0].stmt.at).place})"
    units = list(_gathered(Units(evaluator, pipeline, cut, stages).all()))
    own = Span(cut.scope.file, *cut.scope.function.at)
    if own in stages and not any(unit.call for unit in units):  # a hop for each of its statements would cost more than it brings
        return f"{cut.scope.name} ({own.place}) is one stage"
    while len(units) >= LEAST:
        made = _Wiring(evaluator, cutter, cut, units).stages()
        if not isinstance(made, _Stuck):
            used = {e for s in made for e in s.given}
            if any(e not in used and not e.outer for s in made for e in s.made):
                return "a stage gives what no other needs"
            return Graph(tuple(made), sum(unit.call is not None for unit in units))
        units[made.first : made.last + 1] = [joined(units[made.first : made.last + 1], made.why)]
    return units[0].why or "it is one stage"


def _gathered(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """What is no stage of its own goes with the stage before it that runs no model, else with the one after it, else it is one."""
    found: list[Unit] = []
    for unit in units:
        before = found[-1] if found else None
        if before is not None and (_goes_along(unit, before) or _goes_along(before, unit)):
            found[-1] = joined((before, unit))
        else:
            found.append(unit)
    return tuple(found)


def _goes_along(unit: Unit, other: Unit) -> bool:
    return not unit.stage and (not other.sites or _passes(unit))


def _passes(unit: Unit) -> bool:
    """`return value`: nothing that a model of its own could do."""
    return not any(isinstance(e, (ir.Call, ir.Operation, ir.Comprehension)) for stmt in unit.moved for e in flow.every(stmt))


@dataclass(frozen=True, slots=True)
class _Stuck:
    """Stages that must be one, and why."""

    first: int
    last: int
    why: str


class _Wiring:
    """Finds the edges of a list of units."""

    def __init__(self, evaluator: Evaluator, cutter: Cutter, cut: Cut, units: list[Unit]) -> None:
        self.evaluator, self.cutter, self.cut, self.units = evaluator, cutter, cut, units
        self.judge, self.types, self.frame = cutter.judge, cutter.types, cut.frame
        self.local = liveness.local_names(cut.scope) | liveness.names_around(cut.scope)
        chains = cutter.judge.stand_ins((e for s in cut.moved for e in flow.every(s)), cut.frame)
        self.held: dict[int, ir.Expr] = {id(e): ir.Constant(e.at, None) for e in chains}
        self.outputs = {c.name: c.type for c in cut.outputs}

    def stages(self) -> list[GraphStage] | _Stuck:
        edges = {c.name: Edge(c.name, c.type, True) for c in self.cut.inputs}
        found = []
        for i, unit in enumerate(self.units):
            reads, makes = self._reads(unit), self._makes(i, unit)
            if (stuck := self._stuck(i, unit, makes)) is not None:
                return stuck
            receivers = self._receivers(unit, reads)
            given = {n: edges[n] for n in sorted((reads | self._kept(unit, makes)) & set(edges) - receivers)}
            made = {n: Edge(n, kind, self._answers(i, n)) for n, kind in makes.items()}
            if not given or not made:
                return _Stuck(max(i - 1, 0), max(i, 1), "")
            plan = StageCut(
                self.evaluator, self.cutter, self.cut, unit, {n: e.type for n, e in given.items()}, makes, tuple(sorted(receivers))
            )
            cut, cutter, inputs, outputs = plan.cut()
            before, after = tuple(given[n] for n in inputs), tuple(made[n] for n in outputs)
            same = key(unit, self.cut, self.cutter)
            found.append(GraphStage(cut, cutter, before, after, same, unit.callee if unit.call is not None else None))
            edges.update(made)
        return found

    # ------------------------------------------------------------ values

    def _reads(self, unit: Unit) -> set[str]:
        plain = liveness.substituted(liveness.without(unit.moved, unit.hoists), self.held)
        return flow.exposed(plain) & (self.local | {liveness.lifted_name(h) for h in unit.hoists})

    def _receivers(self, unit: Unit, reads: set[str]) -> set[str]:
        hoisted = {liveness.lifted_name(h) for h in unit.hoists}
        return {n for n in reads - hoisted if self.judge.is_receiver(n, self.frame)}

    def _makes(self, i: int, unit: Unit) -> Values:
        """What later stages or the application need of a unit, by name."""
        if self.cut.tail and i == len(self.units) - 1:
            return {"result": self.cut.outputs[0].type}
        later = set[str]().union(*(self._reads(u) for u in self.units[i + 1 :]))
        bound = {n for n in self._changes(unit) if not self.judge.is_receiver(n, self.frame)}
        done = unit.run[-1].at if unit.run else None
        names = sorted(n for n in bound if n in later or self._answers(i, n))
        kinds = {n: self.outputs[n] if self._answers(i, n) else self.types.name(n, self.frame, done=done) for n in names}
        lifted = {liveness.lifted_name(e): e.value for e in unit.lifts}
        return kinds | {n: self.outputs[n] if n in self.outputs else self.types.of(value, self.frame) for n, value in lifted.items()}

    def _changes(self, unit: Unit) -> set[str]:
        return flow.binds(unit.run) | (liveness.written(unit.run) & self.local)

    def _answers(self, i: int, name: str) -> bool:
        """Whether the application is given what this unit makes of the name."""
        return name in self.outputs and not any(name in self._changes(u) for u in self.units[i + 1 :])

    def _kept(self, unit: Unit, makes: Values) -> set[str]:
        """What a unit may leave as it was, and hands on."""
        asked = tuple(ir.Evaluate(unit.run[-1].at, ir.Name(unit.run[-1].at, n)) for n in makes) if unit.run else ()
        return flow.exposed((*unit.run, *asked)) & set(makes)

    # ------------------------------------------------------------ what cannot be sent

    def _stuck(self, i: int, unit: Unit, makes: Values) -> _Stuck | None:
        """An edge that no tensor can carry: the stages from its writer to its last reader are one."""
        for name, kind in makes.items():
            if self._answers(i, name):
                continue
            readers = [j for j, u in enumerate(self.units) if j > i and name in self._reads(u)]
            if readers and not _sends(kind):
                place = Span(self.cut.scope.file, *(unit.run or unit.lifts)[-1].at).place
                return _Stuck(i, readers[-1], f"{name} ({place}) is an object that cannot be sent from one stage to another")
        if unit.callee is not None and unit.call is not None:
            for parameter, argument in zip(_parameters(unit), unit.call.args, strict=False):
                filled = liveness.fills(unit.callee.function.body, parameter)
                later = [j for j, u in enumerate(self.units) if j > i and isinstance(argument, ir.Name) and argument.id in self._reads(u)]
                if filled and later:
                    return _Stuck(i, later[-1], f"{unit.callee.name} changes {parameter} in place, and a later stage reads it")
        return None


def _parameters(unit: Unit) -> list[str]:
    assert unit.callee is not None
    names = [p.name for p in unit.callee.function.parameters]
    return names[1:] if unit.callee.owner is not None else names


def _sends(kind: VType) -> bool:
    if kind.kind in ("object", "buffer", "stream", "generator", "file"):
        return False
    return all(_sends(i) for i in kind.items) if kind.kind in ("list", "tuple", "dict") else True
