"""A model of the repository as it is planned: what leaves the application for it, by which tensors, and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triton_migrate.plan.cutting.cut import Crossing, Cut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.records import Tensor, Wired
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import ModelRef

MAX_BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """One model of the repository: where it is cut out (`cuts`, one per function that will call it), its tensors, its callers."""

    name: str
    cuts: tuple[Cut, ...]
    cutter: Cutter
    inputs: tuple[tuple[Tensor, Crossing], ...]
    outputs: tuple[tuple[Tensor, Crossing], ...]
    stacked: bool
    errors: tuple[tuple[str, ...], ...]  # by cut: the classes the app catches around it
    endpoints: tuple[str, ...]
    models: tuple[ModelRef, ...]
    raised: tuple[tuple[str, str], ...] = ()  # of a stage: further classes, by a file and their names there
    parts: tuple[tuple[PlannedModel, Wired], ...] = ()  # of an ensemble: the model of each step, which others may share
    reached: tuple[Cut, ...] = ()  # the cuts as each pipeline comes to them: `self` may be another object for each

    @property
    def cut(self) -> Cut:
        return self.cuts[0]


def pipeline_name(scope: Scope) -> str:
    """What the function that is cut is called, with its class or the function around it."""
    owner = scope.owner.name if scope.owner is not None else ""
    if scope.parent is not None and scope.parent.kind == "function":  # `handler.chunks` says more than `chunks`
        owner = scope.parent.name
    words = owner if owner and scope.name.startswith("__") else f"{owner}_{scope.name}" if owner else scope.name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower().strip("_") or "pipeline"
