"""Takes the application's own result caches, gives which of them are about a model, and what of Triton's response cache comes of each.

The application's cache stays: a worker need not ask twice. Triton's is beside it, for all workers, where equal inputs have equal answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.plan.around.purity import differing
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.study import Study

NOTED = "result-cache"


def caches_of(found: Study, planned: PlannedModel) -> tuple[Span, ...]:
    """The places where results of the model are given again: what the verdicts noted, and decorators on the way to the model."""
    verdicts = (v for p, v in (*found.inferring, *found.consuming) if p.entry.id in planned.endpoints)
    return tuple(dict.fromkeys((*(n.span for v in verdicts for n in v.noted if n.rule == NOTED), *_decorating(found, planned))))


def kept_back(planned: PlannedModel, reloaded: bool) -> str:
    """Why Triton does not cache, too; empty where it does."""
    return "a route loads the model's file anew, and answers of the old one must not stay" if reloaded else differing(planned)


def _decorating(found: Study, planned: PlannedModel) -> Iterator[Span]:
    frames = (f for c in planned.cuts for s in c.sites for f in (*(frame for _, frame in s.chain), s.frame))
    decorators = {(f.scope.file, d.at) for f in frames if f.scope.kind == "function" for d in f.scope.function.decorators}
    for span, _ in found.caches:
        if any(file == span.file and ir.holds(whole, span.at) for file, whole in decorators):
            yield span
