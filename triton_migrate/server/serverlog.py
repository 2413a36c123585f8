"""What the server and its models print: takes the file they write to, gives the lines that are new since the last look.

A file and not a pipe, so that nobody has to read it and a server never stops on a full one.
"""

from __future__ import annotations

from pathlib import Path


class ServerLog:
    """Follows one log file; only whole lines are handed out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = 0

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")

    def new_lines(self) -> list[str]:
        with self.path.open("rb") as file:
            file.seek(self._seen)
            whole, end, _ = file.read().rpartition(b"\n")
        self._seen += len(whole) + len(end)
        return whole.decode("utf-8", errors="replace").splitlines() if end else []
