"""Takes the steps of all courses, gives the folders that are state: one entry fills them with files, another reads all that is there.

A folder that every entry which reads it fills itself, with the frames of its own film say, is scratch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course, Write
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import folder_of, listed
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Step


class Folders:
    """One per application. Nothing is worked out before a step that feeds a model reads a folder."""

    def __init__(self, courses: tuple[Course, ...], matcher: Matcher, written: Callable[[Step], tuple[ir.Expr, ...]]) -> None:
        """`written` gives the expressions that name the files which a step writes."""
        self.courses, self.matcher, self.written = courses, matcher, written
        self._read: dict[tuple[Course, int], tuple[str, ...]] = {}  # by the number of a step: each model of an entry asks for all

    @cached_property
    def _filled(self) -> dict[str, list[Write]]:
        found: dict[str, list[Write]] = {}
        for course in self.courses:
            for step in course.pipeline.steps:
                frame = self.matcher.program.generic(step.scope)
                removes = any(isinstance(rule, Effect) and rule.scratch for rule in of.rules(step))
                for expr in () if removes else self.written(step):
                    if (folder := folder_of(self.matcher.evaluator, expr, frame, course.by_scope)) is not None:
                        found.setdefault(folder, []).append(Write(course, step))
        return found

    @cached_property
    def _readers(self) -> dict[str, list[Course]]:
        found: dict[str, list[Course]] = {}
        for course in self.courses:
            for folder in (f for step in course.pipeline.steps for f in self.read_by(course, step)):
                found.setdefault(folder, []).append(course)
        return found

    def read_by(self, course: Course, step: Step) -> tuple[str, ...]:
        """The folders that a step reads as a whole."""
        if (known := self._read.get((course, step.number))) is None:
            known = self._read[course, step.number] = tuple(self._listed(course, step))
        return known

    def _listed(self, course: Course, step: Step) -> Iterator[str]:
        for call in step.calls:
            for rule in call.rules:
                if isinstance(rule, Effect) and rule.folder and (spelled := of.call_expression(step, call)) is not None:
                    receiver = spelled.func.value if isinstance(spelled.func, ir.Attribute) else None
                    expr = receiver if rule.folder == "self" else port(spelled, rule.folder)
                    frame = self.matcher.program.generic(step.scope)
                    if expr is not None and (folder := listed(self.matcher.evaluator, expr, frame, course.by_scope)) is not None:
                        yield folder

    def filled(self, course: Course, step: Step) -> tuple[str, Write] | None:
        """A folder that the step reads as a whole and that entries fill, with where the first, or another than this one, does."""
        for folder in self.read_by(course, step):
            writers = [w for path, found in self._filled.items() if f"{path}/".startswith(f"{folder}/") for w in found]
            kept = any(all(reader is not w.course for w in writers) for reader in self._readers[folder])
            if writers and kept:
                return folder, next((w for w in writers if w.course is not course), writers[0])
        return None
