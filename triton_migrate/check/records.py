"""What `check` finds in a model repository."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing the server refuses ("error"), accepts and does not do as written ("warning"), or that is right if what it rests on is there
    when the server starts ("note"): weights that a script makes, a GPU.

    `file` is relative to the repository and `/`-separated, `line` counts from 1 (1 where the whole file or folder is meant).
    """

    file: str
    line: int
    severity: str
    rule: str
    message: str
    fix: str
