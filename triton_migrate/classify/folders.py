"""Takes the steps of all courses, gives the folders that are state: one entry fills them with files, another reads all that is there.

A folder that every entry which reads it fills itself, with the frames of its own film say, is scratch.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course, Write
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import folder_of, listed
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Step


class Folders:
    """One per application; it is told of every step."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self._filled: dict[str, list[Write]] = {}
        self._readers: dict[str, list[Course]] = {}

    def note(self, course: Course, step: Step, written: tuple[ir.Expr, ...]) -> None:
        """`written`: the expressions that name the files which the step writes."""
        frame = self.matcher.program.generic(step.scope)
        removes = any(isinstance(rule, Effect) and rule.scratch for rule in of.rules(step))
        for expr in () if removes else written:
            if (folder := folder_of(self.matcher.evaluator, expr, frame, course.by_scope)) is not None:
                self._filled.setdefault(folder, []).append(Write(course, step))
        for folder in self.read_by(course, step):
            self._readers.setdefault(folder, []).append(course)

    def read_by(self, course: Course, step: Step) -> Iterator[str]:
        """The folders that a step reads as a whole."""
        frame = self.matcher.program.generic(step.scope)
        for call in step.calls:
            ports = [rule.folder for rule in call.rules if isinstance(rule, Effect) and rule.folder]
            if not ports or (spelled := of.call_expression(step, call)) is None:
                continue
            for named in ports:
                receiver = spelled.func.value if isinstance(spelled.func, ir.Attribute) else None
                expr = receiver if named == "self" else port(spelled, named)
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
