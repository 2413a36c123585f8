"""Takes a pipeline and its port, gives the features table: what the app does now, what Triton does instead, the setting that says so.

One row for each concern of NVIDIA's guide, in its order, whether the application has it or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from triton_migrate.base import Span
from triton_migrate.bind.records import Bound
from triton_migrate.classify import Verdict
from triton_migrate.plan.records import ServedModel
from triton_migrate.port import Port
from triton_migrate.report import document as doc
from triton_migrate.study import Study
from triton_migrate.trace.records import Pipeline


class Now(NamedTuple):
    """What the application does about a concern today, and where."""

    what: str
    span: Span


class Concern(NamedTuple):
    """One concern. `flags` and `rule` say how the analysis knows it; `always`: Triton does it for every model, asked or not."""

    feature: str
    instead: str
    setting: str
    flags: tuple[str, ...] = ()
    rule: str = ""
    always: bool = False


CONCERNS = (
    Concern("dynamic batching", "Triton joins requests that wait into one call of the model", "max_batch_size, dynamic_batching { }"),
    Concern("several models", "one repository holds them all, each with a scheduler of its own", "model_repository/<model>/"),
    Concern(
        "versions", "numbered folders are versions: clients name one, or get the latest", "version_policy { all { } }",
        ("dynamic-models", "reload"),
    ),
    Concern("mixed frameworks", "each model names its own backend, side by side in one server", 'backend: "<name>" in each config.pbtxt'),
    Concern(
        "CPU and GPU placement", "instance groups say on which devices and how often the model is there",
        "instance_group [ { kind: KIND_GPU, gpus: [ 0 ] } ]", (), "placement",
    ),
    Concern(
        "runtime optimisation", "backends take graph optimisation, reduced precision and thread counts from the configuration",
        "optimization { } and parameters { } in config.pbtxt", (), "optimisation",
    ),
    Concern("ensembles", "an ensemble wires stages without a hop back to the client", 'platform: "ensemble", ensemble_scheduling { }'),
    Concern("metrics", "counts and times of every model at /metrics", "--metrics-port 8002", ("metrics",), "", True),
    Concern(
        "queue", "the scheduler queues requests, with priorities, limits and timeouts",
        "dynamic_batching { default_queue_policy { max_queue_size: 64 } }", ("queue-transport", "quota"),
    ),
    Concern(
        "response cache", "equal requests are answered from the cache of the server",
        "response_cache { enable: true }, --cache-config local,size=104857600", ("result-cache",),
    ),
    Concern(
        "update without restart", "models are loaded, replaced and unloaded while the server runs",
        "--model-control-mode=explicit, /v2/repository/models/<model>/load", ("reload", "idle-unload", "dynamic-models", "lazy-load"),
    ),
)  # fmt: skip


def features(study: Study, pipeline: Pipeline, verdict: Verdict, port: Port) -> list[doc.Feature]:
    """All concerns for one pipeline."""
    return [_feature(study, pipeline, verdict, port, concern) for concern in CONCERNS]


def _feature(study: Study, pipeline: Pipeline, verdict: Verdict, port: Port, concern: Concern) -> doc.Feature:
    now = next(_now(study, pipeline, verdict, port, concern), None)
    on = concern.always or _ported(pipeline, port, concern)
    status: doc.FeatureStatus = "on" if on else "recommended" if now is not None else "not-applicable"
    what = now.what if now is not None else "the application does nothing about it"
    row: doc.Feature = {
        "feature": concern.feature,
        "status": status,
        "why": f"now: {what}; {concern.instead}",
        "setting": concern.setting if status != "not-applicable" else None,
        "now": now.what if now is not None else None,
        "file": now.span.file if now is not None else None,
        "line": now.span.line if now is not None else None,
    }
    return row


def _now(study: Study, pipeline: Pipeline, verdict: Verdict, port: Port, concern: Concern) -> Iterator[Now]:
    """What the application does, the most telling place first."""
    yield from (Now(note.message, note.span) for note in verdict.noted if note.rule in concern.flags)
    if concern.rule:
        yield from _said(study, pipeline, concern.rule)
    match concern.feature:
        case "dynamic batching":
            yield from _batching(pipeline, verdict)
        case "versions":
            yield from (Now("the application chooses between models that it loads side by side", p) for p in _chosen(pipeline, port))
        case "update without restart":
            yield from (Now("a route loads the model's file again", p) for m in _served(pipeline, port) for p in m.reloaded)
        case "several models" if len(pipeline.models) > 1:
            yield Now(f"{len(pipeline.models)} models are loaded into the process of the application", pipeline.models[1].span)
        case "mixed frameworks" if len(names := sorted({m.framework for m in pipeline.models})) > 1:
            yield Now(f"{' and '.join(names)} share one process", pipeline.models[0].span)
        case "ensembles" if verdict.category == "modular":
            yield Now("stages are functions that the application joins", verdict.evidence[0].span)
        case "metrics" if study.metrics:
            yield Now(f"the application has metrics of its own ({study.metrics[0][1]})", study.metrics[0][0])


def _chosen(pipeline: Pipeline, port: Port) -> Iterator[Span]:
    """Where the models are that became versions."""
    return (m.versions[0].place for m in _served(pipeline, port) if m.versions)


def _served(pipeline: Pipeline, port: Port) -> list[ServedModel]:
    return [m for w in port.models if not isinstance(w, Bound) and pipeline.entry.id in w.planned.endpoints for m in w.every]


def _batching(pipeline: Pipeline, verdict: Verdict) -> Iterator[Now]:
    yield from (Now("the model runs once for each item of a loop", n.span) for n in verdict.noted if n.rule == "batch-loop")
    for site in pipeline.sites:
        if site.rule.row_independent:
            yield Now(f"every request runs {site.text} alone", site.span)


def _said(study: Study, pipeline: Pipeline, concern: str) -> Iterator[Now]:
    """Calls in the pipeline's files that a rule says are about the concern."""
    files = {step.scope.file for step in pipeline.steps} | {m.span.file for m in pipeline.models}
    for span, kind, callee in study.concerns:
        if span.file in files and kind == concern:
            yield Now(f"{callee}(...) decides it for the whole process", span)


def _ported(pipeline: Pipeline, port: Port, concern: Concern) -> bool:
    """Whether the generated configuration already says so."""
    served = [m for w in port.models if pipeline.entry.id in w.planned.endpoints for m in w.every]
    match concern.feature:
        case "dynamic batching":
            return any(model.stacked for model in served)
        case "response cache":
            return any(model.cached for model in served)
        case "several models":
            return bool(served) and len(pipeline.models) > 1
        case "ensembles":
            return any(model.steps for model in served)
        case "CPU and GPU placement":
            return any(model.on is not None for model in served)
        case "queue":
            return any(model.policy is not None or model.levels is not None for model in served)
        case "versions":
            return any(model.versions for model in served)
        case "update without restart":
            return any(model.reloaded for model in served)
    return False
