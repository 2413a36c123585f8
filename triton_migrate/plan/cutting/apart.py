"""Takes a pipeline whose predict calls no one cut can take, gives a cut for each function of them, or for each of them.

`if not detector.predict(x)[0]: return ...` and then `classifier.predict(x)` is two requests, as the answer may be given after the first;
of classes with a method of the same name each has one of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.plan.cutting.cut import Cut, NoCut, Way
from triton_migrate.trace.records import Pipeline, PredictSite


def apart(pipeline: Pipeline, ways: Callable[[Pipeline, Way], tuple[Way, ...] | NoCut]) -> Way | NoCut:
    """Cuts for the predict calls that are not in the run of another, from the last to the first.

    `ways`: the legal ways of a pipeline, the best first, where the statements of some cuts have left already.
    """
    found: list[Cut] = []
    for sites in _together(pipeline.sites):
        kept = tuple(s for s in sites if not any(_within(s, cut) for cut in found))
        if not kept:
            continue
        own = ways(replace(pipeline, sites=kept), tuple(found))
        if isinstance(own, NoCut):
            return own
        chosen = next((way for way in own if not any(_meet(a, b) for a in way for b in found)), None)
        if chosen is None:
            reason = f"{kept[-1].text} and another predict call need the same statements"
            return NoCut(reason, kept[-1].span, "run each model in statements of its own")
        found += reversed(chosen)
    return tuple(reversed(found))


def _together(sites: tuple[PredictSite, ...]) -> tuple[tuple[PredictSite, ...], ...]:
    """Those of one function, which are reached alike; each by itself where all are. The last come first."""
    groups: dict[object, list[PredictSite]] = {}
    for site in reversed(sites):
        groups.setdefault((site.scope, site.chain), []).insert(0, site)
    return tuple(map(tuple, groups.values())) if len(groups) > 1 else tuple((s,) for s in reversed(sites))


def _within(site: PredictSite, cut: Cut) -> bool:
    """Whether the call is made inside the run of a cut, at whatever depth."""
    calls = [*((frame.scope, call.at) for call, frame in site.chain), (site.scope, site.call.at)]
    return any(scope is cut.scope and any(ir.holds(s.at, at) for s in cut.moved) for scope, at in calls)


def _meet(one: Cut, other: Cut) -> bool:
    a, b = _extent(one), _extent(other)
    return one.scope is other.scope and a.line <= b.end_line and b.line <= a.end_line


def _extent(cut: Cut) -> Span:
    """From the first to the last line that changes in the app."""
    places = [s.at for s in (*cut.run, *cut.lifts)]
    return Span(cut.scope.file, min(p[0] for p in places), 0, max(p[2] for p in places), 0)
