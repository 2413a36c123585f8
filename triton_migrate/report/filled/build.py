"""Takes the records of a study and its port, gives the report document: places as numbers, code as snippets, nothing evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from triton_migrate import __version__
from triton_migrate.changes import FileEdit, NewFile, diff_of
from triton_migrate.classify import Evidence, application_category, consumer_verdict
from triton_migrate.classify import Verdict as Judged
from triton_migrate.classify.exports import export
from triton_migrate.entries.records import Entry, Task
from triton_migrate.match import Matcher
from triton_migrate.plan.around.direct import still_queued
from triton_migrate.plan.around.queues import QueueRow, beside_rows, queue_rows
from triton_migrate.plan.records import ServedModel as Served
from triton_migrate.port import Port as Ported
from triton_migrate.report import document as doc
from triton_migrate.report.filled.caching import caches
from triton_migrate.report.filled.counting import metrics
from triton_migrate.report.filled.features import features
from triton_migrate.report.filled.seen import observed, said_of
from triton_migrate.report.filled.sides import sides
from triton_migrate.report.findings import findings
from triton_migrate.report.suppress import suppressions
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.study import Study
from triton_migrate.trace.records import Consumed, ModelRef, Pipeline

SNIPPET_LINES = 6
CONTEXT = 3  # lines before and after what is evidence
NO_ROUTE = "no route leads to this view"
UNREGISTERED = "what it is registered on is attached to no application"
WITHOUT = "every route that put the task on the queue waited for it, and runs it now"
ASKS_ELSEWHERE = "every model that is asked is served elsewhere: there is nothing to port"
NO_MODEL = "no model is reached from any entry: there is nothing to port"


def document(study: Study, port: Ported, done: bool, options: Sequence[str] = ()) -> doc.Report:
    """The whole report. `done`: the port was asked for (`apply`), so its changes are shown and its pipelines count as ported.

    `options` are those of the command that decide what is in it, as they were given.
    """
    category, confidence = application_category(study.pipelines, study.verdicts, tuple(map(consumer_verdict, study.consumers)))
    project = study.project
    judged = tuple(zip(study.pipelines, study.verdicts, strict=True))
    seen = said_of(study, port)
    report: doc.Report = {
        "schema_version": doc.SCHEMA_VERSION,
        "tool": {"name": "triton-migrate", "version": __version__},
        "root": str(project.root),
        "commit": project.commit,
        "run": _run(study.evaluator.rulebook, options),
        "observed": observed(study, port),
        "frameworks": list(study.frameworks),
        "app_category": cast(doc.Category, category),
        "app_confidence": round(confidence, 2) if category != "none" else None,
        "app_reasons": _reasons(study, category),
        "files": {
            "scanned": len(project.sources) + len(project.failed),
            "analysed": study.analysed,
            "skipped": [{"file": s.file, "reason": s.reason} for s in project.skipped],
            "failed": [{"file": f.file, "line": f.line, "error": f.error} for f in study.failed],
        },
        "applications": [
            {
                "framework": a.framework, "file": a.span.file, "line": a.span.line, "target": a.target,
                "server": "asgi" if a.server == "asgi" else "wsgi", "factory": a.factory, "script": a.script or None,
            }
            for a in study.applications
        ],
        "endpoints": [_endpoint(study, p, v, port, done) for p, v in judged if isinstance(p.entry, Entry)],
        "tasks": [_task(study, p, v, port, done) for p, v in judged if isinstance(p.entry, Task)],
        "consumers": [_consumer(study, c, port, done) for c in study.consumers],
        "models": _models(study),
        "unregistered": [
            {"framework": e.framework, "methods": list(e.methods), "path": e.path, "handler": e.handler.scope.qualname, "file": e.file,
             "line": e.line, "reason": UNREGISTERED if e.path else NO_ROUTE}
            for e in study.unregistered
        ],
        "elsewhere": [
            {"file": asked.span.file, "line": asked.span.line, "call": asked.text, "service": asked.service or None,
             "address": asked.address or None, "entries": list(entries)}
            for asked, entries in study.elsewhere
        ],
        "unresolved": [
            {"file": lost.span.file, "line": lost.span.line, "call": lost.text, "reason": lost.reason, "entries": list(entries)}
            for lost, entries in study.unresolved
        ],
        "caches": caches(study, port),
        "metrics": metrics(study),
        "served_models": [_served(m, endpoints, seen) for m, endpoints in _every(port)],
        "not_ported": [
            {"endpoint": n.endpoint, "reason": n.reason, "file": n.span.file, "line": n.span.line, "fix": n.fix} for n in port.not_ported
        ],
        "changes": [_change(c) for c in port.changes.ordered()] if done else [],
        "suppressions": [],
        "verification": None,
    }  # fmt: skip
    asked = suppressions({path: text.lines for path, text in study.texts.items()})
    meant = {(f.file, f.line, f.rule) for f in findings(report)} if asked else set()
    report["suppressions"] = [
        {"file": s.file, "line": s.line, "rule": s.rule, "reason": s.reason, "used": (s.file, s.line, s.rule) in meant} for s in asked
    ]
    return report


def _run(book: Rulebook, options: Sequence[str]) -> doc.Run:
    rules = sum(len(library.rules) for library in book.libraries)
    return {"libraries": len(book.libraries), "rules": rules, "rulebook": book.digest[:12], "options": list(options)}


def _reasons(study: Study, category: str) -> list[str]:
    if category == "none":
        return [ASKS_ELSEWHERE if study.elsewhere else NO_MODEL]
    judged = [v for v in study.verdicts if v is not None and not v.probe]
    if not judged:
        return ["models run only in loops and scripts of their own"]
    counts = {c: sum(v.category == c for v in judged) for c in dict.fromkeys(v.category for v in judged)}
    return [f"{n} of {len(judged)} inference entries {'is' if n == 1 else 'are'} {c}" for c, n in counts.items()]


def _endpoint(study: Study, pipeline: Pipeline, verdict: Judged | None, port: Ported, done: bool) -> doc.Endpoint:
    entry = pipeline.entry
    assert isinstance(entry, Entry)
    probe = verdict is not None and verdict.probe
    findings = _findings(study, pipeline, None)
    if verdict is not None and not probe:
        findings = {**_planned(study, pipeline, verdict, port, done), "features": features(study, pipeline, verdict, port)}
    rows = beside_rows((pipeline,))
    beside: doc.Beside = {"options": [_option(row, True) for row in rows]} if rows else {}
    return {
        "id": entry.id,
        "framework": entry.framework,
        "methods": list(entry.methods),
        "path": entry.path,
        "handler": entry.handler.scope.qualname,
        "file": entry.file,
        "line": entry.line,
        "inference": bool(pipeline.sites),
        "probe": probe,
        "queue": pipeline.queue,
        "response": cast(doc.ResponseKind, pipeline.response),
        "models": [m.id for m in pipeline.models],
        "category": cast(doc.Category, verdict.category) if verdict and not probe else None,
        "rule": cast(doc.DecidedBy, verdict.rule) if verdict and not probe else None,
        **findings,
        **beside,
    }


def _planned(study: Study, pipeline: Pipeline, verdict: Judged, port: Ported, done: bool) -> doc.Findings:
    """With what a port would make of the pipeline, or has made of it."""
    entry, findings = pipeline.entry, _findings(study, pipeline, verdict)
    served = [w for w in port.models if entry.id in w.planned.endpoints]
    findings["port"] = _port(entry.id, port, done)
    refused = [(n.reason, n.span, n.fix) for n in port.not_ported if n.endpoint == entry.id]
    told = {span.place for _, span, _ in refused}
    refused += [(b.message, b.span, b.fix) for b in verdict.blockers if b.span.place not in told]
    findings["blockers"] = [{"message": m, "file": span.file, "line": span.line, "fix": fix} for m, span, fix in refused]
    findings["outputs"] = [
        {"name": c.name, "dtype": t.dtype, "shape": list(t.dims), "provenance": cast(doc.Provenance, t.provenance)}
        for w in served
        for t, c in w.planned.outputs
    ]
    where = sides(pipeline, (c for w in served for c in w.planned.cuts))
    for stage, side in zip(findings["stages"], where, strict=False):  # no stages where no model is run
        stage["side"] = side if served else None
    return findings


def _findings(study: Study, pipeline: Pipeline, verdict: Judged | None) -> doc.Findings:
    return {
        "inputs": [
            {
                "name": i.name, "source": cast(doc.Source, i.source), "type": i.type or None, "dtype": None, "shape": None,
                "provenance": cast(doc.Provenance, i.provenance),
            }
            for i in pipeline.inputs
        ],
        "outputs": [],
        "stages": [
            {
                "kind": cast(doc.StageKind, s.kind), "name": s.name, "file": s.span.file, "line": s.span.line, "end_line": s.span.end_line,
                "model": s.model,
            }
            for s in (pipeline.stages if pipeline.sites else ())
        ],
        "confidence": round(verdict.confidence, 2) if verdict else None,
        "runner_up": cast(doc.Category, verdict.runner_up) if verdict else None,
        "evidence": [_evidence(study, e) for e in ((*verdict.evidence, *verdict.noted) if verdict else ())],
        "doubts": list(verdict.doubts) if verdict else [],
        "flags": list(verdict.flags) if verdict else [],
        "blockers": [],
        "would_be_looser_if": verdict.looser_if if verdict else None,
        "effort": {"points": cast(doc.Points, verdict.effort), "why": verdict.effort_why} if verdict else None,
        "target": cast(doc.Target, verdict.target) if verdict else None,
        "port": None,
        "features": [],
    }  # fmt: skip


def _port(endpoint: str, port: Ported, done: bool) -> doc.Port:
    refused = [n for n in port.not_ported if n.endpoint == endpoint]
    served = any(endpoint in w.planned.endpoints for w in port.models)
    not_done: list[doc.NotDone] = [{"reason": n.reason, "file": n.span.file, "line": n.span.line, "fix": n.fix} for n in refused]
    if served:
        return {"status": "ported" if done else "portable", "proof": "compiled" if done else None, "not_done": not_done}
    return {"status": "blocked" if refused else "review", "proof": None, "not_done": not_done}


def _task(study: Study, pipeline: Pipeline, verdict: Judged | None, port: Ported, done: bool) -> doc.Task:
    entry = pipeline.entry
    assert isinstance(entry, Task)
    direct = tuple(d for d in port.direct if d.task is entry.handler.scope)
    queued = not direct or bool(still_queued(Matcher(study.evaluator), direct))
    return {
        "name": entry.name,
        "file": entry.file,
        "line": entry.line,
        "queue": entry.queue,
        "inference": bool(pipeline.sites),
        "models": [m.id for m in pipeline.models],
        "category": cast(doc.Category, verdict.category) if verdict else None,
        "rule": cast(doc.DecidedBy, verdict.rule) if verdict else None,
        **(_findings(study, pipeline, None) if verdict is None else _planned(study, pipeline, verdict, port, done)),
        "options": [_option(row, queued) for t, told in study.told if t is entry for row in queue_rows(t.name, told)],
        "direct": [{"file": d.wait.file, "line": d.wait.line} for d in direct],
    }


def _option(row: QueueRow, queued: bool) -> doc.TaskOption:
    return {
        "option": row.option,
        "kind": row.kind,
        "file": row.span.file,
        "line": row.span.line,
        "fate": "kept" if queued else row.fate.without,
        "why": row.fate.kept if queued else WITHOUT,
        "without_queue": row.fate.without,
        "setting": row.fate.setting or None,
    }


def _consumer(study: Study, consumed: Consumed, port: Ported, done: bool) -> doc.Consumer:
    consumer, verdict = consumed.consumer, consumer_verdict(consumed)
    return {
        "file": consumer.file,
        "line": consumer.line,
        "function": consumer.function,
        "models": [m.id for m in consumed.models],
        "category": cast(doc.Category, verdict.category),
        "rule": cast(doc.DecidedBy, verdict.rule),
        "confidence": round(verdict.confidence, 2),
        "evidence": [_evidence(study, e) for e in verdict.evidence],
        "effort": {"points": cast(doc.Points, verdict.effort), "why": verdict.effort_why},
        "target": cast(doc.Target, verdict.target),
        "port": _port(consumer.id, port, done),
    }


def _models(study: Study) -> list[doc.Model]:
    sites: dict[ModelRef, dict[tuple[str, int, str], None]] = {}
    sites_run = (*(s for p in study.pipelines for s in p.sites), *(s for c in study.consumers for s in c.sites))
    for site in sites_run:
        for model in site.models:
            sites.setdefault(model, {})[(site.span.file, site.span.line, site.text)] = None
    for fitted in (f for pipeline in study.pipelines for f in pipeline.fitted):
        sites.setdefault(fitted.model, {})[(fitted.span.file, fitted.span.line, fitted.text)] = None
    for model in study.idle:
        sites.setdefault(model, {})
    return [
        {
            "id": m.id, "file": m.span.file, "line": m.span.line, "framework": m.framework, "loader": m.loader, "artifact": m.artifact,
            "when": cast(doc.Moment, m.when), "exportable": cast(Literal["yes", "no", "unknown"], m.exportable), "backend": m.backend,
            "predict_sites": [{"file": f, "line": n, "call": c} for f, n, c in places],
            "export_route": how.route or None, "export_why": how.reason,
        }
        for m, places in sites.items()
        for how in (export(m, study.evaluator.rulebook),)
    ]  # fmt: skip


def _every(port: Ported) -> list[tuple[Served, tuple[str, ...]]]:
    """The models of the repository, each once, with the entries that they serve."""
    found: dict[str, tuple[Served, dict[str, None]]] = {}
    for written in port.models:
        for model in written.every:
            found.setdefault(model.name, (model, {}))[1].update(dict.fromkeys(written.planned.endpoints))
    return [(model, tuple(endpoints)) for model, endpoints in found.values()]


def _served(model: Served, endpoints: tuple[str, ...], seen: dict[tuple[str, str], str]) -> doc.ServedModel:
    tensors: list[list[doc.Tensor]] = [
        [
            {
                "name": t.name,
                "dtype": t.dtype,
                "dims": list(t.dims),
                "variable": t.variable,
                "provenance": cast(doc.Provenance, t.provenance),
                **_seen(seen.get((model.name, t.name))),
            }
            for t in side
        ]
        for side in (model.inputs, model.outputs)
    ]
    return {
        "name": model.name,
        "backend": model.backend,
        "max_batch_size": model.max_batch_size,
        "stacked": model.stacked,
        "framework": model.framework,
        "why": model.why,
        "inputs": tensors[0],
        "outputs": tensors[1],
        "endpoints": list(endpoints),
        "networks": [
            {"name": n.name, "backend": n.backend, "script": f"triton_serving/export_{n.name}.py", "place": n.place, "why": n.why}
            for n in model.networks
        ],
        "not_exported": list(model.not_exported),
    }


def _seen(said: str | None) -> doc.Seen:
    return {} if said is None else {"seen": said}


def _change(change: NewFile | FileEdit) -> doc.Change:
    return {
        "file": change.path,
        "kind": "new" if isinstance(change, NewFile) else "edit",
        "reason": change.reason,
        "safety": "safe" if isinstance(change, NewFile) else change.safety,
        "proof": "compiled" if change.path.endswith((".py", ".pbtxt")) else None,
        "diff": diff_of(change),
    }


def _evidence(study: Study, evidence: Evidence) -> doc.Evidence:
    span = evidence.span
    lines, last = study.texts[span.file].lines, min(span.end_line, span.line + SNIPPET_LINES - 1)
    before, said, after = lines[max(0, span.line - 1 - CONTEXT) : span.line - 1], lines[span.line - 1 : last], lines[last : last + CONTEXT]
    return {
        "rule": evidence.rule,
        "message": evidence.message,
        "file": span.file,
        "line": span.line,
        "before": b"".join(before).decode(errors="replace"),
        "snippet": b"".join(said).decode(errors="replace").rstrip("\n"),
        "after": b"".join(after).decode(errors="replace").rstrip("\n"),
    }
