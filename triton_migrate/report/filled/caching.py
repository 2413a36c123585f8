"""Takes the result caches of the application and its port, gives what becomes of each: kept, or mapped to Triton's response cache, too."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.bind.records import Bound
from triton_migrate.plan.around.caches import NOTED, caches_of, kept_back
from triton_migrate.port import Port
from triton_migrate.report import document as doc
from triton_migrate.study import Study

MAPPED = "kept, and Triton's response cache answers equal inputs for all workers"
HOLDS_MODEL = "it keeps the model, not results"
NO_MODEL = "no result of a model that leaves the application is kept there"


def caches(study: Study, port: Port) -> list[doc.Cache]:
    """One row for each cache, those that are plain dicts or rows of a database among them."""
    told: dict[Span, tuple[doc.CacheFate, str]] = {}
    for written in port.models:
        if isinstance(written, Bound):
            continue
        why = kept_back(written.planned, bool(written.served.reloaded))
        for span in caches_of(study, written.planned):
            told[span] = ("mapped", f"{MAPPED} (model {written.served.name})") if written.served.cached else ("kept", why)
    kinds = dict(study.caches)
    noted = (n.span for _, v in (*study.inferring, *study.consuming) for n in v.noted if n.rule == NOTED)
    spans = dict.fromkeys((*kinds, *(s for s in (*noted, *told) if not any(s.holds(k) for k in kinds))))
    return [_row(study, span, kinds.get(span, "own"), told) for span in spans]


def _row(study: Study, span: Span, kind: str, told: dict[Span, tuple[doc.CacheFate, str]]) -> doc.Cache:
    held = any(_decorates(study, span, m.span) for p in study.pipelines for m in p.models)
    said = next((fate for place, fate in told.items() if place == span or place.holds(span)), None)
    unsaid: tuple[doc.CacheFate, str] = ("kept", HOLDS_MODEL if held else NO_MODEL)
    fate, why = unsaid if held or said is None else said
    return {"file": span.file, "line": span.line, "kind": kind, "fate": fate, "why": why}


def _decorates(study: Study, span: Span, load: Span) -> bool:
    """Whether the cache is a decorator of the function that loads a model."""
    return any(decorator.holds(span) and body.holds(load) for decorator, body in _decorated(study, span.file))


def _decorated(study: Study, file: str) -> Iterator[tuple[Span, Span]]:
    for scope in study.evaluator.program.files[file].scopes:
        if scope.kind == "function":
            yield from ((Span(file, *d.at), Span(file, *scope.function.at)) for d in scope.function.decorators)
