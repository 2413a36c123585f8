"""Takes the verdicts of all entries, gives the category of the whole application."""

from __future__ import annotations

from collections import Counter

from triton_migrate.classify.records import Verdict
from triton_migrate.entries.records import Entry
from triton_migrate.trace.records import Pipeline

NEAR_TIGHT = ("tight", "loose", "modular", "individual")  # by how much hangs together


def application_category(
    pipelines: tuple[Pipeline, ...], verdicts: tuple[Verdict | None, ...], consumers: tuple[Verdict, ...] = ()
) -> tuple[str, float]:
    """The category of most inference entries; entries with the same predict sites and stages count once, half tight is tight.

    Consumers and scripts count only when no route or task runs a model.
    """
    walked = frozenset(s.scope for p in pipelines if isinstance(p.entry, Entry) for s in p.steps)
    both = zip(pipelines, verdicts, strict=True)
    judged = [(p, v) for p, v in both if v is not None and not v.probe and (isinstance(p.entry, Entry) or p.entry.scope not in walked)]
    if not judged:
        counts = Counter(v.category for v in consumers)
        return (_most(counts, counts), min(v.confidence for v in consumers)) if consumers else ("none", 1.0)
    distinct = {_same(p): v.category for p, v in judged}
    sure = min(v.confidence for _, v in judged)
    counts, raw = Counter(distinct.values()), Counter(v.category for _, v in judged)
    twice = 2 * counts["tight"]
    if twice > counts.total() or (twice == counts.total() and 2 * raw["tight"] >= raw.total()):
        return "tight", sure
    return _most(counts, raw), sure


def _same(pipeline: Pipeline) -> object:
    """What two entries share that count once."""
    return tuple(s.span for s in pipeline.sites), tuple(s.span for s in pipeline.stages)


def _most(counts: Counter[str], raw: Counter[str]) -> str:
    """The most frequent; of several, the one with more entries, then the one nearer to tight."""
    return max(counts, key=lambda category: (counts[category], raw[category], -NEAR_TIGHT.index(category)))
