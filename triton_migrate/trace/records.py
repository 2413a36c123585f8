"""What a walk from one entry found: steps, predict sites, stages, effects, and where it lost the track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from triton_migrate.base import Span
from triton_migrate.entries.records import Consumer, Entry, Input, Task
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import ModelPredict, ModelTrain, Rule
from triton_migrate.trace.taints import CLEAN, Taint


@dataclass(frozen=True, slots=True)
class Cell:
    """A module global or an attribute of an object. `owner` is the file, or file and class."""

    kind: str  # global | attribute
    owner: str
    name: str
    lasting: bool = True  # it outlives the request


@dataclass(frozen=True, slots=True)
class InputOrigin:
    """Data that came from the client."""

    source: str
    name: str


@dataclass(frozen=True, slots=True)
class PredictOrigin:
    """Data that came out of the predict site with this number."""

    number: int


Origin: TypeAlias = int | Cell | InputOrigin | PredictOrigin  # int: the number of a step


@dataclass(frozen=True, slots=True)
class Call:
    """A library call of a step with the rules that know it."""

    api: Api
    rules: tuple[Rule, ...]
    at: ir.At
    taint: Taint


@dataclass(slots=True)
class Step:
    """One statement (or the head of a compound one) as the walk met it; filled while the walk passes."""

    number: int
    scope: Scope
    stmt: ir.Stmt
    depth: int
    taint: Taint = CLEAN
    inputs: set[InputOrigin] = field(default_factory=set)
    predicts: set[int] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    writes: set[Cell] = field(default_factory=set)
    enters: set[Scope] = field(default_factory=set)
    responds: str = ""
    _places: dict[tuple[ir.At, Api], int] = field(default_factory=dict, repr=False)  # of `calls`

    @property
    def span(self) -> Span:
        return Span(self.scope.file, *self.stmt.at)

    def called(self, call: Call) -> None:
        """Note a call, once for each API and place, whatever the walk's round."""
        place = self._places.setdefault((call.at, call.api), len(self.calls))
        if place == len(self.calls):
            self.calls.append(call)
        else:
            self.calls[place] = Call(call.api, call.rules, call.at, self.calls[place].taint | call.taint)


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model of the program, by its load call."""

    id: str
    span: Span
    framework: str
    loader: str
    artifact: str | None
    when: str
    exportable: str
    backend: str
    fused: bool
    held: str = ""  # the variable or attribute that it is loaded into


@dataclass(frozen=True, slots=True)
class PredictSite:
    """A call that runs a model. `chain` are the calls from the handler down to the function that holds it.

    `queued`: how many of them belong to the process that puts the work on a queue; what comes after them runs in a worker.
    `worker`: of how many calls the request itself waits for no more: then a worker or a thread runs it. None where it waits for all.
    """

    number: int
    span: Span
    text: str
    call: ir.Call
    frame: Frame
    rule: ModelPredict
    api: Api
    models: tuple[ModelRef, ...]
    taint: Taint
    step: int
    chain: tuple[tuple[ir.Call, Frame], ...]
    queued: int = 0
    worker: int | None = None

    @property
    def scope(self) -> Scope:
        return self.frame.scope

    def beside(self, scope: Scope) -> bool:
        """Whether a function on the way here runs beside the request: in a worker, or in a thread of its own."""
        frames = (*(f for _, f in self.chain), self.frame)
        return self.worker is not None and any(f.scope is scope for f in frames[self.worker :])


@dataclass(frozen=True, slots=True)
class Fitted:
    """A call of something fitted in training that only transforms: no predict site, but loaded from a file and served with the model."""

    model: ModelRef
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of statements of one kind in one function."""

    kind: str  # parse | pre | model | post | respond
    name: str
    span: Span
    model: str | None


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the walk could not follow, and why."""

    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All that one entry does, in the order of the walk."""

    entry: Entry | Task | Consumer
    steps: tuple[Step, ...]
    sites: tuple[PredictSite, ...]
    fitted: tuple[Fitted, ...]
    stages: tuple[Stage, ...]
    inputs: tuple[Input, ...]
    response: str
    queue: str | None
    before: frozenset[int]  # steps in the backward slice of the predict sites
    after: frozenset[int]  # steps that depend on a predict site's result
    breaks: tuple[Break, ...]
    suspects: tuple[tuple[Break, str], ...] = ()  # calls that look as if they ran a model, on something nothing is known of
    followed: frozenset[Span] = frozenset()  # calls that look so, and could be followed

    @property
    def models(self) -> tuple[ModelRef, ...]:
        return tuple(dict.fromkeys(m for s in self.sites for m in s.models))

    @property
    def trains(self) -> bool:
        """Whether it trains a model on the way."""
        return any(isinstance(r, ModelTrain) for s in self.steps for c in s.calls for r in c.rules)


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a consumer runs; `suspects` and `followed` as in `Pipeline`."""

    consumer: Consumer
    sites: tuple[PredictSite, ...]
    suspects: tuple[tuple[Break, str], ...]
    followed: frozenset[Span]

    @property
    def models(self) -> tuple[ModelRef, ...]:
        return tuple(dict.fromkeys(m for s in self.sites for m in s.models))

    @property
    def pipeline(self) -> Pipeline:
        """Its predict sites as a pipeline of which nothing else is known."""
        return Pipeline(self.consumer, (), self.sites, (), (), (), "", None, frozenset(), frozenset(), ())
