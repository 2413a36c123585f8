"""Takes an application's courses, gives the scripts of the program that entries start as processes of their own and that train a model."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Container, Literal, Value
from triton_migrate.rulebook.vocabulary import Effect, ModelSave, ModelTrain
from triton_migrate.trace.records import Step


@dataclass(frozen=True, slots=True)
class Launch:
    """`os.system("python train.py")` in an entry: where the script trains and what files it saves, None for a name made at run time."""

    course: Course
    step: Step
    trains: Span
    saves: tuple[str | None, ...]


def launches(courses: tuple[Course, ...], matcher: Matcher) -> Iterator[Launch]:
    """Every start of a script that trains and saves."""
    for course in courses:
        for step in course.pipeline.steps:
            for script in _scripts(step, matcher) if of.has_effect(step, "process") else ():
                files = matcher.program.imported_by(script)
                trains = [
                    matcher.program.span(m.place.scope, m.place.call.at) for m in matcher.find(ModelTrain) if m.place.scope.file in files
                ]
                saves = tuple(_saves(matcher, files))
                if trains and saves:
                    yield Launch(course, step, trains[0], saves)


def _saves(matcher: Matcher, files: frozenset[str]) -> Iterator[str | None]:
    for match in matcher.find(ModelSave):
        if match.place.scope.file in files:
            expr = port(match.place.call, match.rule.artifact) if match.rule.artifact else None
            yield file_of(matcher.evaluator, expr, matcher.program.generic(match.place.scope)) if expr is not None else None


def _scripts(step: Step, matcher: Matcher) -> Iterator[str]:
    """The files of the program that a command line names."""
    frame = matcher.program.generic(step.scope)
    for call in step.calls:
        spelled = of.call_expression(step, call)
        if spelled is not None and any(isinstance(r, Effect) and r.kind == "process" for r in call.rules):
            words = [word for argument in spelled.args for word in _words(argument, frame, matcher)]
            yield from dict.fromkeys(path for word in words for path in _named(word, matcher))


def _words(argument: ir.Expr, frame: Frame, matcher: Matcher) -> Iterator[str]:
    waiting: list[Value] = list(matcher.evaluator.values(argument, frame))
    for value in waiting:
        if isinstance(value, Literal) and isinstance(value.value, str):
            yield from value.value.split()
        elif isinstance(value, Container):
            waiting.extend(v for v in matcher.evaluator.element(value, None) if isinstance(v, Literal))
    if (path := file_of(matcher.evaluator, argument, frame)) is not None and " " not in path:
        yield path


def _named(word: str, matcher: Matcher) -> Iterator[str]:
    """`train.py` and `./model/train.py`, from whatever folder, or the module behind `-m`."""
    path = posixpath.normpath(word) if word.endswith(".py") else f"{word.replace('.', '/')}.py"
    same = [file for file in matcher.program.files if file == path or (word.endswith(".py") and f"/{path}".endswith(f"/{file}"))]
    near = [file for file in matcher.program.files if word.endswith(".py") and file.endswith(f"/{path}")]
    yield from same[:1] or (near if len(near) == 1 else [])
