"""Takes pipelines, consumers and the program's loads, gives what of its models could not be resolved, and why.

Three kinds of places: calls that look as if they ran a model, on something nothing is known of, loads that no call was found to run, and
those at which the evaluation of the whole program was given up. What another entry's walk could follow at the same place is no such call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.resolve.scopes import last_name
from triton_migrate.rulebook.vocabulary import ModelLoad
from triton_migrate.trace.models import Models
from triton_migrate.trace.records import Consumed, ModelRef, Pipeline

LOST = (
    "entries and models may be missing; scan the folder of one application alone, or name what is no part of it"
    " (data, generated code, vendored libraries) in .gitignore"
)
NOT_RUN = "it is loaded here, and no call was found that runs it"


@dataclass(frozen=True, slots=True, order=True)
class Unresolved:
    """One place; `text` is what is called there."""

    span: Span
    text: str
    reason: str


def unresolved(
    models: Models, pipelines: tuple[Pipeline, ...], consumed: tuple[Consumed, ...], idle: tuple[ModelRef, ...]
) -> tuple[tuple[Unresolved, tuple[str, ...]], ...]:
    """Each such place with the entries that come to it."""
    followed: frozenset[Span] = frozenset().union(*(p.followed for p in pipelines), *(c.followed for c in consumed))
    found: dict[Unresolved, dict[str, None]] = {Unresolved(m.span, m.loader, NOT_RUN): {} for m in idle}
    for pipeline in pipelines:
        for place, text in pipeline.suspects:
            if place.span not in followed:
                found.setdefault(Unresolved(place.span, text, place.reason), {})[pipeline.entry.id] = None
    for consumer in consumed:
        for place, text in consumer.suspects:
            if place.span not in followed:
                found.setdefault(Unresolved(place.span, text, place.reason), {})
    found |= {lost: {} for lost in _given_up(models)}
    if pipelines or not any(c.sites for c in consumed):
        found |= {lost: {} for lost in _not_run(models)}
    return tuple((lost, tuple(entries)) for lost, entries in sorted(found.items(), key=lambda pair: pair[0]))


def _given_up(models: Models) -> Iterator[Unresolved]:
    """Where nothing more was followed, in how many files; entries and models behind that place may be missing altogether."""
    cuts = models.evaluator.cuts
    for reason, span in cuts.first.items():
        files = len(cuts.files[reason])
        yield Unresolved(span, f"{files} files, from" if files > 1 else "from", f"{reason}: {LOST}")


def _not_run(models: Models) -> Iterator[Unresolved]:
    """The loads of the running application that nothing was found to run; what gives anything (pickle) may be no model."""
    for match in models.matcher.find(ModelLoad):
        place = match.place
        span = models.matcher.program.span(place.scope, place.call.at)
        served = models.evaluator.reach.runs(place.scope, place.call.at)
        if served and span not in models.found and (not match.rule.opaque or models.named_a_model(place)):
            yield Unresolved(span, last_name(place.call.func), NOT_RUN)
