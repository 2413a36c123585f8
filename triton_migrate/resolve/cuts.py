"""Takes the places at which an evaluation was given up, gives where and why: nothing that was not followed goes untold."""

from __future__ import annotations

from dataclasses import dataclass, field

from triton_migrate.base import Span
from triton_migrate.index import ir

TOO_MUCH = "the program is too large to follow everything in it"
TOO_DEEP = "what leads here is nested too deeply to follow"


@dataclass(slots=True)
class Cuts:
    """Per reason the first place, and every file in which something was not followed."""

    first: dict[str, Span] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=dict)

    def note(self, reason: str, file: str, at: ir.At) -> None:
        self.first.setdefault(reason, Span(file, *at))
        self.files.setdefault(reason, set()).add(file)
