"""Takes a course, gives the `Blocker`s: code around the model that does not simply move with it, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.classify.records import Blocker, Judgement
from triton_migrate.trace.records import Cell, Step

REACHED = 6  # of one kind; more say nothing new


def blockers(course: Course, judged: Judgement) -> tuple[Blocker, ...]:
    """What is in the way, the deciding state first."""
    found: dict[str, Blocker] = {}
    for blocker in (*_of_rule(judged), *_of_effects(course), *_of_tracing(course)):
        found.setdefault(blocker.span.place, blocker)
    return tuple(found.values())


def _of_rule(judged: Judgement) -> Iterator[Blocker]:
    fixes = {
        "T1": "pass the value in with the request, or keep the pipeline in the application with PyTriton",
        "T2": "train in a job of its own that publishes a finished artifact to the model repository",
        "T3": "give the model data instead of a live object",
    }
    if judged.rule in fixes:
        yield Blocker(judged.evidence[0].message, judged.evidence[0].span, fixes[judged.rule])


def _of_effects(course: Course) -> Iterator[Blocker]:
    for step in course.working:
        if step.number in course.predicting or step.number not in course.pipeline.before:
            continue
        if of.has_effect(step, "file-write"):
            yield Blocker("a file is written on the way to the model", step.span, "pass the bytes on instead of the path")
        elif of.has_effect(step, "db-read", "db-write"):
            yield Blocker("a database is used on the way to the model", step.span, "read it in the route and pass the value on")
        elif shared := sorted(c.name for c in step.writes if isinstance(c, Cell)):
            yield Blocker(f"{', '.join(shared)} is shared by all requests", step.span, "use a local variable")


def _of_tracing(course: Course) -> Iterator[Blocker]:
    scopes = {step.scope.file for step in course.working}
    for lost in [b for b in course.pipeline.breaks if b.span.file in scopes and _matters(course, b.span.line)][:REACHED]:
        yield Blocker(f"what is called here is not known: {lost.reason}", lost.span, "give the object a type annotation or a rule file")


def _matters(course: Course, line: int) -> bool:
    return any(_covers(step, line) for step in course.working)


def _covers(step: Step, line: int) -> bool:
    return step.stmt.at[0] <= line <= step.stmt.at[2]
