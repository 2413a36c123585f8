"""What a tight port is made of: the bound models, the routes that belong to the owner, and what could not be bound."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.plan.cutting.cut import Crossing, Cut
from triton_migrate.plan.records import NotPorted, ServedModel, Tensor
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import ModelRef, PredictSite


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter of a bound function, or the rows of a bound call.

    It travels as `tensor`, objects in it as `fields` (dicts of these attributes); or it is the owner's own object, and `live` names it.
    """

    name: str
    keyword: bool
    tensor: Tensor | None
    crossing: Crossing
    fields: tuple[str, ...] = ()
    live: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """One model that PyTriton serves: a function of the application (`kind` "function"), predict calls in one ("call"), or statements
    of one that become a function of the same name ("region": `run`, with `replaced` parts, put above `place`).

    `callee` is the expression, in the owner, of what is called; for calls it lacks the method, which is the output's name.
    """

    kind: str
    name: str
    scope: Scope
    callee: str
    arguments: tuple[Argument, ...]
    outputs: tuple[tuple[Tensor, Crossing], ...]
    stacked: bool
    sites: tuple[PredictSite, ...]
    endpoints: tuple[str, ...]
    models: tuple[ModelRef, ...]
    why: str
    cut: Cut | None = None
    replaced: tuple[tuple[ir.At, str], ...] = ()
    place: Scope | None = None

    @property
    def span(self) -> Span:
        if self.kind == "function":
            return Span(self.scope.file, *self.scope.function.at)
        return self.cut.span if self.cut is not None else self.sites[0].span

    @property
    def cuts(self) -> tuple[Bound, ...]:
        """For the report: the one place where Triton's side begins."""
        return (self,)

    @property
    def inputs(self) -> tuple[tuple[Tensor, Crossing], ...]:
        return tuple((a.tensor, a.crossing) for a in self.arguments if a.tensor is not None)

    @property
    def planned(self) -> Bound:
        return self

    @property
    def every(self) -> tuple[ServedModel, ...]:
        """What it brings into Triton."""
        return (self.served,)

    @property
    def served(self) -> ServedModel:
        inputs, outputs = tuple(t for t, _ in self.inputs), tuple(t for t, _ in self.outputs)
        framework = self.models[0].framework if self.models else ""
        return ServedModel(self.name, MAX_BATCH_SIZE, inputs, outputs, self.stacked, "", (), (), (self.span,), framework, self.why)


MAX_BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class BindPlan:
    """`owned`: (method, path) of the routes that touch live state outside what is bound; `tasks`: functions of tasks that do."""

    bound: tuple[Bound, ...]
    owned: tuple[tuple[str, str], ...]
    not_ported: tuple[NotPorted, ...]
    tasks: tuple[Scope, ...] = ()

    @property
    def web(self) -> bool:
        """Whether routes use what is bound, so that it starts with their application."""
        return any(not e.startswith("task ") for b in self.bound for e in b.endpoints)
