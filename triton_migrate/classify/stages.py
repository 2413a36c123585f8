"""Takes a course, gives its stage functions and its drivers, as CATEGORIES.md defines them."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.classify.expressions import COMPUTES, changes
from triton_migrate.classify.state import State
from triton_migrate.index import flow, ir
from triton_migrate.resolve.calls import results
from triton_migrate.resolve.parameters import parameter
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Instance, Value
from triton_migrate.rulebook.vocabulary import DataConvert, WebParameter, WebRequest
from triton_migrate.trace.records import Cell, InputOrigin, Step

VALUES = frozenset({"image", "array", "tensor", "frame"})  # what a model works on
OPEN_FILES = frozenset({"typing.IO", "typing.BinaryIO", "typing.TextIO", "io.IOBase", "io.RawIOBase", "io.BufferedIOBase", "io.TextIOBase"})


@dataclass(frozen=True, slots=True)
class StageFunction:
    """A function that is a stage. `only_calls`: it holds a predict site and does nothing but call the model."""

    scope: Scope
    holds: bool
    only_calls: bool

    @property
    def span(self) -> Span:
        return Span(self.scope.file, *self.scope.function.at)


def stage_functions(course: Course, state: State) -> tuple[StageFunction, ...]:
    """The stages of a pipeline in the order of the walk; what a stage calls is inside it and does not count."""
    order = dict.fromkeys(step.scope for step in course.working)
    working = [s for s in order if s is not course.root and not _drives(course, s) and _works(course, state, s)]
    inside = frozenset[Scope]().union(*(course.below(scope) for scope in working))
    pure = [s for s in working if s not in inside and not s.is_lambda and _is_pure(course, state, s)]
    return tuple(StageFunction(scope, scope in course.holders, _only_calls(course, scope)) for scope in pure)


def drivers(course: Course) -> tuple[Scope, ...]:
    """The functions that lead to a predict site and hold none: the handler, and what it delegates to."""
    return tuple(s for s in course.by_scope if s in course.reaching and s not in course.holders)


def _drives(course: Course, scope: Scope) -> bool:
    return scope in course.reaching and scope not in course.holders


def _works(course: Course, state: State, scope: Scope) -> bool:
    """Whether the function runs a model or changes its data by itself, more than by conversion and by getting hold of it."""
    if scope in course.holders:
        return True
    own = [step for step in course.working if step.scope is scope]
    if _stores(course.by_scope[scope]) or _parses_options(course, scope) or _gives_the_model(course, scope):
        return False
    return any(
        of.works(step, course.book, step.number in course.pipeline.before)
        and not _encodes(course, step)
        and not _decodes(course, step)
        and not _looks_up(course, state, step)
        for step in own
    ) and _carries(course, own)


def _looks_up(course: Course, state: State, step: Step) -> bool:
    """`result, at = self.cache[key]`: acquiring what an earlier request left."""
    return not step.calls and any(course.reads(step, cell) for cell in step.taint if isinstance(cell, Cell) and cell in state.kept)


def _stores(own: list[Step]) -> bool:
    """An upload or a download put into a file: acquiring input, however its name and its size are found out."""
    made = {r.result.partition(":")[0] for step in own for r in of.rules(step) if isinstance(r, DataConvert)}
    return any(of.has_effect(step, "file-write") for step in own) and not made & VALUES


def _gives_the_model(course: Course, scope: Scope) -> bool:
    """What it returns is the object that runs the model (`registry.get(name).embed(texts)`): choosing it changes no data."""
    frame = course.evaluator.program.generic(scope)
    owners = {site.scope.owner for site in course.sites} - {None}
    given = [v for expr in results(scope.function) for v in course.evaluator.values(expr, frame)] if scope.kind == "function" else []
    objects = [v for v in given if isinstance(v, Instance)]
    return bool(objects) and all(v.of.scope in owners for v in objects) and len(objects) == len(given)


def _parses_options(course: Course, scope: Scope) -> bool:
    """What only becomes keyword arguments of another call: `kwargs = options_of(request)`, `model.encode(texts, **kwargs)`."""
    callers = course.callers.get(scope, ())
    return bool(callers) and all(_spreads(step) for step in callers)


def _spreads(step: Step) -> bool:
    """Whether the name that the statement gives its result is nothing but spread, or changed by its own methods."""
    targets = step.stmt.targets if isinstance(step.stmt, ir.Assign) else ()
    if len(targets) != 1 or not isinstance(targets[0], ir.Name):
        return False
    name, spread, others = targets[0].id, 0, 0
    for part in (p for stmt in flow.flatten(step.scope.body) for p in flow.own(stmt)):
        if isinstance(part, ir.Name) and part.id == name and part is not targets[0]:
            others += 1
        elif isinstance(part, ir.Call):
            into = sum(key is None and isinstance(value, ir.Name) and value.id == name for key, value in part.keywords)
            on = isinstance(part.func, ir.Attribute) and isinstance(part.func.value, ir.Name) and part.func.value.id == name
            spread, others = spread + into, others - into - on
    return spread > 0 and others == 0


def _carries(course: Course, own: list[Step]) -> bool:
    """What the model knows of itself (its columns, its shape) and settings are prepared without the request: no stage."""
    if not any(isinstance(origin, InputOrigin) for site in course.sites for origin in site.taint):
        return True  # a device or a queue gives the data
    first = min(course.predicting)
    return any(
        step.number > first
        if of.from_model(step) and step.number >= first
        else of.from_client(step) and step.number in course.pipeline.before
        for step in own  # what stands before the first predict call has the model's data of an earlier round of a loop at most
    )


def _encodes(course: Course, step: Step) -> bool:
    """`image.save(buffer)`: what only makes bytes of its data is an encoding helper."""
    if not isinstance(step.stmt, ir.Evaluate) or not isinstance(step.stmt.value, ir.Call):
        return False
    before = [c for c in of.own_calls(step) if c.at != step.stmt.value.at and not of.call_converts(c, course.book)]
    if any("()" in call.api.path for call in before):  # a method that changes it first, not a function that makes an image of an array
        return False
    frame = course.evaluator.program.generic(step.scope)
    given = (v for argument in step.stmt.value.args for v in course.evaluator.values(argument, frame))
    buffers = (course.book.find(v.path.removesuffix("()"), DataConvert) for v in given if isinstance(v, Api))
    return any(rule is not None and rule.result == "buffer" for rule in buffers)


def _decodes(course: Course, step: Step) -> bool:
    """`np.array(Image.open(path).convert("RGB"))`: bytes or a file read as the picture they hold."""
    own = [c for c in of.own_calls(step) if not of.call_converts(c, course.book)]
    decoding = all(any(isinstance(r, DataConvert) and r.decodes for r in call.rules) for call in own)
    return bool(own) and decoding and not any(changes(part, step, COMPUTES, False) for part in flow.own(step.stmt))


def _is_pure(course: Course, state: State, scope: Scope) -> bool:
    """It references no request or response, and returns its result instead of leaving it somewhere."""
    own = course.by_scope[scope]
    if any(step.inputs or step.responds or _of_the_request(course, step) for step in own) or _takes_the_request(course, scope):
        return False
    if any(of.has_effect(step, "db-read", "db-write") or state.changing & of.receivers(step) for step in own):
        return False  # it works on a live object: a connection, an index that entries add to
    return _returns(own) and not any(_leaves(course, state, step) for step in own)


def _returns(own: list[Step]) -> bool:
    yields = any(isinstance(s.stmt, ir.Evaluate) and isinstance(s.stmt.value, ir.Yield) for s in own)
    return yields or any(isinstance(s.stmt, ir.Return) and s.stmt.value is not None for s in own)


def _leaves(course: Course, state: State, step: Step) -> bool:
    """Whether the statement leaves something behind, other than the model it loads."""
    return any(not state.of_the_model(course, step, cell) for cell in step.writes)


def _of_the_request(course: Course, step: Step) -> bool:
    return any(course.book.find(call.api.path.rpartition(".")[0], WebRequest) for call in step.calls)


def _takes_the_request(course: Course, scope: Scope) -> bool:
    """Whether a parameter is the request, a part of it, or an open file, which is no value either: declared to be, or handed to it."""
    frame = course.evaluator.program.generic(scope)
    for wanted in scope.function.parameters:
        if wanted.annotation is None:
            if any(_is_upload(course, value) for value in parameter(course.evaluator, wanted, frame)):
                return True
            continue
        if any(api.path in OPEN_FILES for api in course.evaluator.apis(wanted.annotation, frame.parent or frame)):
            return True
        for value in course.evaluator.annotated(wanted.annotation, frame.parent or frame):
            if isinstance(value, Api):
                rule = course.book.find(value.path.removesuffix("()"), WebParameter)
                if course.book.find(value.path, WebRequest) or (rule is not None and rule.source != "dependency"):
                    return True
    return False


def _is_upload(course: Course, value: Value) -> bool:
    rule = course.book.find(value.path.removesuffix("()"), WebParameter) if isinstance(value, Api) and value.path.endswith("()") else None
    return rule is not None and rule.source == "file"


def _only_calls(course: Course, scope: Scope) -> bool:
    """Nothing but the predict call, container conversion, device and grad handling, logging, timing."""
    own = course.by_scope[scope]
    quiet = all(
        step.predicts or isinstance(step.stmt, (ir.With, ir.Try, ir.Raise)) or of.converts(step, course.book)
        or not (step.number in course.around or step.calls)
        for step in own
    )  # fmt: skip
    return quiet and not (course.below(scope) - course.loaders)
