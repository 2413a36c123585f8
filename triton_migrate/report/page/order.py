"""Takes the pipelines of a report, gives the order to move them in: what shares a model together, what is easy and sure first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triton_migrate.report.document import Model
from triton_migrate.report.pipelines import Pipeline


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a migration: pipelines that go together because they share `models`."""

    rows: tuple[Pipeline, ...]
    models: tuple[Model, ...]

    @property
    def shared(self) -> tuple[Model, ...]:
        """Models that more than one of the pipelines runs."""
        return tuple(m for m in self.models if sum(m in row.models for row in self.rows) > 1)

    @property
    def points(self) -> int:
        """Effort: of all its pipelines."""
        return sum(row.found["effort"]["points"] for row in self.rows if row.found["effort"])

    @property
    def blocked(self) -> bool:
        return any(row.status == "blocked" for row in self.rows)

    @property
    def why(self) -> str:
        """Why it comes where it does, and what it brings."""
        if all(row.status == "ported" for row in self.rows):
            return "ported already"
        names = " and ".join(model["id"] for model in self.models)
        frees = f"the application no longer loads {names} afterwards" if names else "it names no model of its own"
        if self.blocked:
            return f"something has to be unblocked first; {frees}"
        return frees if len(self.rows) == 1 else f"they share a model, so one load serves them all; {frees}"


def moves(rows: Iterable[Pipeline]) -> tuple[Move, ...]:
    """Pipelines joined by the models they share; cheap before dear, sure before unsure, blocked last."""
    groups: list[list[Pipeline]] = []
    for row in rows:
        near = [group for group in groups if any(model in other.models for model in row.models for other in group)]
        groups = [group for group in groups if group not in near] + [[*(one for group in near for one in group), row]]
    made = [Move(tuple(sorted(group, key=_rank)), _models(group)) for group in groups]
    return tuple(sorted(made, key=lambda move: (move.blocked, move.points, move.rows[0].anchor)))


def _rank(row: Pipeline) -> tuple[int, float]:
    effort = row.found["effort"]
    return (effort["points"] if effort else 0, -(row.found["confidence"] or 0.0))


def _models(group: list[Pipeline]) -> tuple[Model, ...]:
    return tuple({model["id"]: model for row in group for model in row.models}.values())
