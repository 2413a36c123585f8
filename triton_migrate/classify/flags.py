"""Takes a course and the application's state, gives one `Evidence` for each flag: what a port has to know beside the category."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.classify import kept, tight
from triton_migrate.classify import steps as of
from triton_migrate.classify.control import harmless
from triton_migrate.classify.course import Course
from triton_migrate.classify.guards import guards
from triton_migrate.classify.records import Evidence
from triton_migrate.classify.sources import streamed
from triton_migrate.classify.state import UNLOADING, State, fills
from triton_migrate.index import flow, ir
from triton_migrate.resolve.values import Instance
from triton_migrate.rulebook.vocabulary import Cache, DataLive, Metric, ModelLoad, StreamSource, WebLimit
from triton_migrate.trace.records import Call, Cell, InputOrigin, Step

TOO_MANY = 429
QUEUED = "queue-transport"
LIMITED = "who asks too often is turned away before anything runs: that stays on the route, for Triton knows no callers"


def flags(course: Course, state: State) -> tuple[Evidence, ...]:
    """Every flag once, at the first place that raises it."""
    found: dict[str, Evidence] = {}
    for finder in (_of_models, _of_state, _of_effects, _around_the_request, harmless_flow):
        for note in finder(course, state):
            found.setdefault(note.rule, note)
    return tuple(found.values())


def harmless_flow(course: Course, state: State) -> Iterator[Evidence]:
    yield from harmless(course)


def _of_models(course: Course, state: State) -> Iterator[Evidence]:
    for site in course.sites:
        for model in site.models:
            if model.fused or site.rule.fused:
                yield Evidence("fused", f"{model.loader} has pre- and post-processing inside", model.span)
            if model.when == "first-use":
                yield Evidence("lazy-load", "the model is loaded when it is first used", model.span)
        if isinstance(site.api.of, Instance):
            cls = site.api.of.of.scope
            yield Evidence("own-module-class", f"the network {cls.name} is written in this repository", _span(cls.file, cls.definition.at))
    for step in course.pipeline.steps:
        for call in step.calls:
            if any(isinstance(r, ModelLoad) for r in call.rules) and any(isinstance(o, InputOrigin) for o in call.taint):
                yield Evidence("dynamic-models", "the client says which finished model is loaded", step.span)
    for cell in sorted(course.cells & state.writes.keys(), key=str):
        if tight.chooses(course, cell):
            for write in state.changed(cell):
                yield Evidence("dynamic-models", f"{cell.name} says which finished model is used", write.step.span)
    for write in state.writing:
        step = write.step
        if not step.writes & course.cells:
            continue
        if _unloads(step):
            yield Evidence("idle-unload", "the model is taken out of memory here", step.span)
        elif of.loads(step) and not any(fills(write.course, step, c) for c in step.writes):
            if step.scope.name != "__init__" and not any(m.when in ("import", "startup") for m in course.pipeline.models):
                yield Evidence("reload", "the model is loaded anew here", step.span)
    for once in state.once:
        if once.guarded and any(once.site is not None and once.site == site.api.made for site in course.sites):
            yield Evidence("bootstrap-fit", "trained at start-up, only when there is no artifact yet", once.span)


def _of_state(course: Course, state: State) -> Iterator[Evidence]:
    writers: dict[Cell, Step] = {}
    for step in course.pipeline.steps:
        writers |= {c: step for c in step.writes & course.cells if c not in writers and not state.harmless(course, step, c)}
    for cell in sorted(writers, key=str):
        if tight.written_first(course, state, cell):
            message = f"{cell.name} is written before it is read: two requests at a time would mix"
            yield Evidence("not-re-entrant", message, writers[cell].span)
    for step in course.pipeline.steps:
        if of.from_model(step) and any(fills(course, step, cell) for cell in step.writes):
            yield Evidence("result-cache", "results are kept and given again for the same input", step.span)
    for cell in sorted(course.cells & state.writes.keys(), key=str):
        where = next((s.span for s in course.feeding if course.reads(s, cell)), course.sites[0].span)
        if kept.cache(course, state, cell):
            yield Evidence("result-cache", f"what {cell.name} has of an earlier request is not made again", where)
        elif kept.stored_input(course, state, cell):
            yield Evidence("client-keyed-blob", "the client names a stored input: it is acquired, not state", where)
    for step in course.feeding:
        if of.has_effect(step, "db-read") and kept.cached_row(course, step):
            yield Evidence("result-cache", "what the database has of an earlier request is not made again", step.span)
    for step in kept.answered_early(course, state):
        yield Evidence("result-cache", "what an earlier request left for the same input is answered at once", step.span)
    for step in tight.stored_inputs(course):
        yield Evidence("client-keyed-blob", "the client names a stored input: it is acquired, not state", step.span)
    for step in tight.fetches(course):
        yield Evidence("external-fetch", "another service is asked for what the request names", step.span)
    for step in course.pipeline.steps:
        if step.number in course.pipeline.before and any(
            isinstance(r, StreamSource) or (isinstance(r, DataLive) and r.input) for r in of.rules(step)
        ):
            yield Evidence("live-source", "the application opens a device or a connection for its input", step.span)
    for cell in sorted(course.cells, key=str):
        for span in streamed(state, cell):
            yield Evidence("live-source", f"{cell.name} is kept up to date from a device or a connection", span)


def _of_effects(course: Course, state: State) -> Iterator[Evidence]:
    pipeline = course.pipeline
    first = min(course.predicting, default=0)
    for step in pipeline.steps:
        if step.number in course.predicting:
            continue
        after = step.number in pipeline.after
        if after and of.has_effect(step, "db-write"):
            yield Evidence("db-write-after", "the result is written to a database: that stays in the application", step.span)
        elif after and of.has_effect(step, "db-read"):
            yield Evidence("read-after", "a database is read for the answer: that stays in the application", step.span)
        elif pipeline.queue and step.number < first and step.number not in pipeline.before and of.has_effect(step, "db-write"):
            yield Evidence("job-status", "the state of the job is kept in a database", step.span)
        if any(isinstance(r, Metric) for r in of.rules(step)) or any(_counts(course, call) for call in step.calls):
            yield Evidence("metrics", "the application counts its own requests", step.span)
        if any(isinstance(r, Cache) for r in of.rules(step)):
            yield Evidence("result-cache", "results are kept and given again for the same input", step.span)


def _around_the_request(course: Course, state: State) -> Iterator[Evidence]:
    handler = course.root.function
    frame = course.evaluator.program.generic(course.root)
    for decorator in handler.decorators:
        for api in course.evaluator.apis(decorator.func if isinstance(decorator, ir.Call) else decorator, frame.parent or frame):
            if any(isinstance(r, Cache) for r in course.book.rules_for(api.path)):
                yield Evidence("result-cache", "whole answers are cached", _span(course.root.file, decorator.at))
            if any(isinstance(r, WebLimit) for r in course.book.rules_for(api.path)):
                yield Evidence("quota", LIMITED, _span(course.root.file, decorator.at))
    for span in guards(course, state.matcher):
        yield Evidence("auth", "who asks is checked before anything runs", span)
    for step in course.pipeline.steps:
        if isinstance(step.stmt, ir.If) and of.rejects(step.stmt) and any(_too_many(part) for part in _body(step.stmt)):
            yield Evidence("quota", LIMITED, step.span)
    if course.pipeline.queue:
        yield Evidence(QUEUED, f"the model runs behind a queue ({course.pipeline.queue})", _span(course.root.file, handler.at))


def _counts(course: Course, call: Call) -> bool:
    """`requests.inc()`: a method of a metric."""
    return course.book.find(call.api.path.rpartition(".")[0].removesuffix("()"), Metric) is not None


def _body(stmt: ir.If) -> Iterator[ir.Expr]:
    return (part for inner in stmt.body for part in flow.own(inner))


def _too_many(part: ir.Expr) -> bool:
    """The HTTP status 429, as a number or by the name that `http` and Starlette give it."""
    named = isinstance(part, ir.Attribute) and "TOO_MANY_REQUESTS" in part.attr
    return named or (isinstance(part, ir.Constant) and part.value == TOO_MANY)


def _unloads(step: Step) -> bool:
    """`self.model = None`, `del`, `models.pop(name)`."""
    if isinstance(step.stmt, ir.Delete):
        return True
    if isinstance(step.stmt, ir.Assign):
        return isinstance(step.stmt.value, ir.Constant) and step.stmt.value.value is None and step.scope.name != "__init__"
    value = step.stmt.value if isinstance(step.stmt, ir.Evaluate) else None
    return isinstance(value, ir.Call) and isinstance(value.func, ir.Attribute) and value.func.attr in UNLOADING


def _span(file: str, at: ir.At) -> Span:
    return Span(file, *at)
