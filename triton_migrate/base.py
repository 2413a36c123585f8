"""What every room speaks of: places in files, files that could not be used, and errors for the user."""

from __future__ import annotations

import sys
from dataclasses import dataclass

STACK = 10_000  # Python frames: less than the usual 8 MB of stack; source code and questions about it nest deeper than Python's 1,000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of a source file, as `ast` counts: lines from 1, columns in UTF-8 bytes from 0, end exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def at(self) -> tuple[int, int, int, int]:
        """The place without the file, as the index keeps it."""
        return (self.line, self.column, self.end_line, self.end_column)

    def holds(self, other: Span) -> bool:
        return (
            self.file == other.file
            and (self.line, self.column) <= (other.line, other.column)
            and (other.end_line, other.end_column) <= (self.end_line, self.end_column)
        )


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One Python file of the project, decoded. `path` is relative to the root and `/`-separated."""

    path: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out on purpose."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be read or parsed; the scan went on without it."""

    file: str
    line: int
    error: str


def nest_deeply() -> None:
    """Let walks over source code nest as deeply as `index` lets code be nested."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), STACK))


class TritonMigrateError(Exception):
    """Trouble the user can mend: what is wrong, where, and the next step. `cli` prints it on one line."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.file, self.line, self.hint = message, file, line, hint

    def __str__(self) -> str:
        where = "" if self.file is None else f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")
