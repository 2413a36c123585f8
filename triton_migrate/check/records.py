"""What `check` finds in a model repository."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing the server refuses ("error") or accepts and does not do as written ("warning").

    `file` is relative to the repository and `/`-separated, `line` counts from 1 (1 where the whole file or folder is meant).
    """

    file: str
    line: int
    severity: str
    rule: str
    message: str
    fix: str
