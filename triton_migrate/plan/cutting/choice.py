"""Takes the legal ways to cut a pipeline, gives them in the order they are tried, each with the reasons a reviewer asks for.

By default the cheapest is the first: fewest and smallest values across the cut, no model library left behind, requests stacked. The
user may ask instead that only the predict calls leave, or as much as can from pre- to post-processing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby, islice

from triton_migrate.plan.cutting.cut import Cut, NoCut, Way
from triton_migrate.plan.cutting.extent import Extent
from triton_migrate.plan.cutting.liveness import holds
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.trace.records import Step

EXPLAINED = 4  # of the ways that are tried
PLACES = 3  # that one reason names


class Where(Enum):
    """Where the user wants a pipeline cut."""

    CHEAPEST = "cheapest"
    MODEL = "model"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Choice:
    """Orders and explains the ways of one pipeline. `calls`: the predict calls by themselves, or why they cannot leave alone."""

    extent: Extent
    judge: Judge
    calls: Way | NoCut
    where: Where

    def of(self, ways: tuple[Way, ...]) -> tuple[Way, ...] | NoCut:
        """The ways that are as asked for, the best first; `ways` are the others than `calls`."""
        offered = (*(() if isinstance(self.calls, NoCut) else (self.calls,)), *ways)
        every = [tuple(replace(cut, again=True) for cut in way) if self._elsewhere(way) else way for way in offered]
        match self.where:
            case Where.CHEAPEST:
                ordered = sorted(every, key=lambda way: (way[0].again, _cost(way)))
            case Where.PIPELINE:
                ordered = sorted(every, key=lambda way: (len(self.extent.staying(way)), _cost(way)))
            case Where.MODEL if isinstance(self.calls, NoCut):
                ordered = sorted((way for way in ways if _bare(way)), key=_cost)
                if not ordered:
                    refused = self.calls
                    return NoCut(f"only the predict call was to leave, but {refused.reason}", refused.span, refused.fix)
            case Where.MODEL:
                ordered = [self.calls]
        more = (
            ""
            if self.where is not Where.CHEAPEST or all(c.kind == "model" for way in ordered[:EXPLAINED] for c in way)
            else self._not_alone()
        )
        return tuple(tuple(self._explained(c, way, more) for c in way) if i < EXPLAINED else way for i, way in enumerate(ordered))

    def _explained(self, cut: Cut, way: Way, more: str) -> Cut:
        """`more`: why more leaves than the predict call."""
        if self.where is not Where.CHEAPEST:
            return replace(cut, why="; ".join((cut.why, f"asked for with --cut {self.where.value}", *self._stays(way))))
        others = () if cut.kind == "model" else (more, *self._stays(way))
        again = (f"the application still runs the model itself for {_places(kept)}",) if (kept := self._elsewhere(way)) else ()
        return replace(cut, why="; ".join((cut.why, *filter(None, (*others, *again)))))

    def _elsewhere(self, way: Way) -> tuple[Step, ...]:
        """The predict calls that stay all the same: the function that makes them is called from outside the cut, too."""
        below = {site.step for cut in way for site in cut.sites if site.scope is not cut.scope}
        return tuple(step for step in self.extent.staying(way) if step.number in below) if below else ()

    def _not_alone(self) -> str:
        """Why more leaves than the predict call."""
        if isinstance(self.calls, NoCut):
            return f"the predict call cannot leave alone: {self.calls.reason} ({self.calls.span.place})"
        weight = self.judge.weight
        staying = sorted(self.extent.staying(self.calls), key=_place)
        heavy = (place for place, steps in groupby(staying, _place) if any(map(weight.heavy, steps)))
        lines = tuple(islice(heavy, PLACES + 1))  # to know all of them takes long
        libraries = sorted({name for step in staying if (names := weight.libraries(step)) and weight.heavy(step) for name in names})
        if not lines:
            return ""
        told = _named(lines) + (" and more" if len(lines) > PLACES else "")
        return f"with the predict call alone {', '.join(libraries) or 'something loaded'} would stay in the app for {told}"

    def _stays(self, way: Way) -> tuple[str, ...]:
        rest = self.extent.staying(way)
        answering = [s for s in rest if s.responds]
        others = [s for s in rest if not s.responds]
        told = [f"what needs nothing of the model stays ({_places(others)})"] if others else []
        return (*told, *([f"the answer is made where it was ({_places(answering)})"] if answering else []))


def _cost(way: Way) -> float:
    return sum(cut.cost for cut in way)


def _bare(way: Way) -> bool:
    """Whether hardly more than the predict calls leaves: every statement and expression makes one of them."""
    calls = [site.call for cut in way for site in cut.sites]
    return all(any(holds(stmt, call) for call in calls) for cut in way for stmt in cut.moved)


def _place(step: Step) -> tuple[str, int]:
    return step.scope.file, step.stmt.at[0]


def _places(steps: Iterable[Step]) -> str:
    lines = sorted(set(map(_place, steps)))
    return _named(lines) + (f" and {len(lines) - PLACES} more" if len(lines) > PLACES else "")


def _named(lines: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{file}:{line}" for file, line in lines[:PLACES])
