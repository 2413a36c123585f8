"""Takes the text of a rule file, gives the lines of its tables and keys, which TOML readers do not tell."""

from __future__ import annotations

import re
from collections import defaultdict

HEADER = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?")


class TableLines:
    """Where the tables of a rule file start; all lines count from 1."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._starts: defaultdict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self._lines, 1):
            header = HEADER.fullmatch(line)
            if header:
                self._starts[header[1]].append(number)

    def header(self, table: str, nth: int = 0) -> int:
        """The line of the `nth` `[table]` or `[[table]]`; for a table written inline, of its first mention; else 1."""
        starts = self._starts.get(table, [])
        if nth < len(starts):
            return starts[nth]
        return next((number for number, line in enumerate(self._lines, 1) if line.lstrip(" [").startswith(table)), 1)

    def key(self, table: str, key: str, nth: int = 0) -> int:
        """The line of `key` in the `nth` such table, else the table's own line."""
        start = self.header(table, nth)
        if not key:
            return start
        spelled = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
        for number in range(start, len(self._lines)):
            if HEADER.fullmatch(self._lines[number]):
                break
            if spelled.match(self._lines[number]):
                return number + 1
        return start
