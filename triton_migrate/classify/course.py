"""Takes a pipeline, gives its `Course`: which functions lie on the way to a predict site, which load, and which steps lead there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from triton_migrate.classify import steps as of
from triton_migrate.index import flow, ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Site
from triton_migrate.rulebook.vocabulary import Effect, ModelTrain
from triton_migrate.trace.records import Cell, Pipeline, PredictSite, Step


class Course:
    """One pipeline with the questions that several rules ask of it."""

    def __init__(self, pipeline: Pipeline, evaluator: Evaluator) -> None:
        self.pipeline, self.evaluator, self.book = pipeline, evaluator, evaluator.rulebook
        self.steps = {step.number: step for step in pipeline.steps}
        self.by_scope: dict[Scope, list[Step]] = {}
        self._read: dict[int, frozenset[str]] = {}  # the names that each step's statement reads
        self._stores: dict[int, bool] = {}  # whether each step reads a store
        self._below: dict[Scope, frozenset[Scope]] = {}
        self.callers: dict[Scope, list[Step]] = {}  # steps that call a function of the program
        for step in pipeline.steps:
            self.by_scope.setdefault(step.scope, []).append(step)
            for entered in step.enters:
                self.callers.setdefault(entered, []).append(step)

    @property
    def sites(self) -> tuple[PredictSite, ...]:
        return self.pipeline.sites

    @property
    def root(self) -> Scope:
        """The function that the entry runs."""
        return self.pipeline.entry.scope

    @cached_property
    def around(self) -> frozenset[int]:
        """The steps of the model's data, those that run it among them."""
        return self.pipeline.before | self.pipeline.after | self.predicting

    @cached_property
    def predicting(self) -> frozenset[int]:
        return frozenset(site.step for site in self.sites)

    @cached_property
    def holders(self) -> frozenset[Scope]:
        """The functions with a predict site in them."""
        return frozenset(site.scope for site in self.sites)

    @cached_property
    def leading(self) -> dict[int, frozenset[int]]:
        """The steps that run a model or call towards one, each with the numbers of the predict sites it leads to."""
        found: dict[int, set[int]] = {}
        for site in self.sites:
            found.setdefault(site.step, set()).add(site.number)
            waiting, seen = [site.scope], {site.scope}
            while waiting:
                for step in self.callers.get(waiting.pop(), ()):
                    found.setdefault(step.number, set()).add(site.number)
                    if step.scope not in seen:
                        seen.add(step.scope)
                        waiting.append(step.scope)
        return {number: frozenset(sites) for number, sites in found.items()}

    @cached_property
    def reaching(self) -> frozenset[Scope]:
        """The functions from which a predict site is reached, the holders among them."""
        return frozenset(self.steps[number].scope for number in self.leading)

    def running(self, step: Step) -> frozenset[str]:
        """The names of the functions through which a step runs a model."""
        return frozenset(scope.name for scope in step.enters & self.reaching)

    @cached_property
    def loaders(self) -> frozenset[Scope]:
        """Functions that are there to bring a model: they load or construct one, or only such functions call them."""
        found = {s for s, own in self.by_scope.items() if s.name == "__init__" or any(of.loads(step) for step in own)}
        found -= self.reaching | {self.root}
        while True:
            only = {s for s, calls in self.callers.items() if s not in self.reaching and all(c.scope in found for c in calls)}
            if only <= found:
                return frozenset(found)
            found |= only

    @cached_property
    def working(self) -> tuple[Step, ...]:
        """The steps around the model that are not part of loading it, in the order of the walk."""
        return tuple(step for step in self.pipeline.steps if step.number in self.around and step.scope not in self.loaders)

    def below(self, scope: Scope) -> frozenset[Scope]:
        """The functions that a function calls, directly or not, without itself."""
        if scope not in self._below:
            found: set[Scope] = set()
            waiting = [scope]
            while waiting:
                for step in self.by_scope.get(waiting.pop(), ()):
                    for entered in step.enters - found:
                        found.add(entered)
                        waiting.append(entered)
            self._below[scope] = frozenset(found - {scope})
        return self._below[scope]

    def enclosing(self, step: Step) -> tuple[ir.Stmt, ...]:
        """The compound statements around a step in its function, the outermost first."""
        return tuple(_enclosing(step.scope.body, step.stmt))

    def inside(self, scope: Scope, block: ir.Block) -> frozenset[int]:
        """The steps of a function that lie in these statements of its."""
        places = {stmt.at for stmt in flow.flatten(block)}
        return frozenset(step.number for step in self.by_scope.get(scope, ()) if step.stmt.at in places)

    @cached_property
    def loading(self) -> frozenset[int]:
        """The steps that bring a model."""
        return frozenset(step.number for step in self.pipeline.steps if of.loads(step))

    @cached_property
    def cells(self) -> frozenset[Cell]:
        """The globals and attributes that feed a predict site."""
        return frozenset(origin for site in self.sites for origin in site.taint if isinstance(origin, Cell))

    @cached_property
    def feeding(self) -> tuple[Step, ...]:
        """The steps in the backward slice of a predict site, the sites' own among them."""
        return tuple(step for step in self.pipeline.steps if self.feeds(step))

    def feeds(self, step: Step) -> bool:
        return step.number in self._feeding

    @cached_property
    def _feeding(self) -> frozenset[int]:
        return frozenset(self.pipeline.before | self.predicting)

    @cached_property
    def trained(self) -> frozenset[Site]:
        """Where the objects are made that the entry trains."""
        calls = (c for step in self.pipeline.steps for c in step.calls if any(isinstance(r, ModelTrain) for r in c.rules))
        return frozenset(c.api.made for c in calls if c.api.made is not None)

    def reads(self, step: Step, cell: Cell) -> bool:
        """Whether the statement itself reads the cell; its taint also has what it depends on through others."""
        if cell not in step.taint:
            return False
        if step.number not in self._read:
            targets = step.stmt.targets if isinstance(step.stmt, ir.Assign) and not step.stmt.augmented else ()
            plain = {id(t) for target in targets for t in _plain_targets(target)}
            parts = (p for p in flow.own(step.stmt) if id(p) not in plain)
            names = (f".{p.attr}" if isinstance(p, ir.Attribute) else p.id for p in parts if isinstance(p, (ir.Attribute, ir.Name)))
            self._read[step.number] = frozenset(names)
        read = self._read[step.number]
        return f".{cell.name}" in read or (cell.kind == "global" and cell.name in read)

    def reads_store(self, step: Step) -> bool:
        """Whether the statement reads a database, a session or a vector store: by a call, or by an element (`session["x"]`)."""
        if (known := self._stores.get(step.number)) is None:
            known = self._stores[step.number] = of.has_effect(step, "db-read") or self._reads_element(step)
        return known

    def _reads_element(self, step: Step) -> bool:
        frame = self.evaluator.program.generic(step.scope)
        parts = (p for p in flow.own(step.stmt) if isinstance(p, ir.Subscript))
        rules = (rule for p in parts for api in self.evaluator.apis(p, frame) for rule in self.book.rules_for(api.path))
        return any(isinstance(rule, Effect) and rule.kind == "db-read" for rule in rules)

    def sites_under(self, scope: Scope) -> frozenset[int]:
        """The predict sites in a function and in what it calls."""
        inside = self.below(scope) | {scope}
        return frozenset(site.number for site in self.sites if site.scope in inside)


def _enclosing(body: ir.Block, inner: ir.Stmt) -> Iterator[ir.Stmt]:
    for stmt in body:
        if stmt is not inner and ir.holds(stmt.at, inner.at):
            yield stmt
            for block in flow.blocks(stmt):
                yield from _enclosing(block, inner)
            return


def _plain_targets(target: ir.Expr) -> Iterator[ir.Expr]:
    """What is only written: a name or an attribute, alone or unpacked."""
    match target:
        case ir.Name() | ir.Attribute():
            yield target
        case ir.Sequence(_, _, items):
            for item in items:
                yield from _plain_targets(item)
        case ir.Starred(_, inner):
            yield from _plain_targets(inner)


@dataclass(frozen=True, slots=True)
class Write:
    """One change of state by an entry."""

    course: Course
    step: Step
