"""Diffs for the page: takes one file's unified diff, gives hunks of numbered, coloured lines with the changed words marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, zip_longest
from typing import Literal

from markupsafe import Markup

from triton_migrate.report.page import code
from triton_migrate.report.visible import visible

_HEADER = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)")
Kind = Literal["same", "added", "removed", "note"]
_KINDS: dict[str, Kind] = {" ": "same", "": "same", "+": "added", "-": "removed", "\\": "note"}


@dataclass(frozen=True, slots=True)
class Row:
    kind: Kind
    old: int | None
    new: int | None
    html: Markup


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands beside each other: a line that stayed is on both sides, one that came or went on one."""

    before: Row | None
    after: Row | None

    @property
    def kind(self) -> str:
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "same" if self.before.kind == "same" else "changed"


@dataclass(frozen=True, slots=True)
class Hunk:
    """`heading` is what git writes after the line numbers: the enclosing function."""

    old: int
    new: int
    heading: str
    rows: tuple[Row, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The rows side by side; notes about line ends are left to the rows."""
        return tuple(pair for _, run in groupby(self.rows, key=lambda row: row.kind == "same") for pair in _beside(tuple(run)))

    @property
    def lines(self) -> range:
        """The lines of the old file that the hunk speaks of."""
        return range(self.old, self.old + sum(row.old is not None for row in self.rows))


@dataclass(frozen=True, slots=True)
class Diff:
    added: int
    removed: int
    hunks: tuple[Hunk, ...]


def _beside(run: tuple[Row, ...]) -> Iterator[Pair]:
    if run[0].kind == "same":
        yield from (Pair(row, row) for row in run)
        return
    sides = ([row for row in run if row.kind == kind] for kind in ("removed", "added"))
    yield from (Pair(before, after) for before, after in zip_longest(*sides))


def parse(text: str, filename: str) -> Diff:
    """Lines before the first `@@` (file headers, modes) carry nothing the page does not say already."""
    hunks = tuple(_hunk(header, body, filename) for header, body in _cut(text))
    kinds = [row.kind for hunk in hunks for row in hunk.rows]
    return Diff(kinds.count("added"), kinds.count("removed"), hunks)


def _cut(text: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    header, body = None, list[str]()
    for line in text.removesuffix("\n").split("\n"):
        if found := _HEADER.match(line):
            if header:
                yield header, body
            header, body = found, []
        else:
            body.append(visible(line.removesuffix("\r")))
    if header:
        yield header, body


def _hunk(header: re.Match[str], body: list[str], filename: str) -> Hunk:
    old, new = int(header[1]), int(header[2])
    kinds = [_KINDS.get(line[:1], "note") for line in body]
    sides = {
        side: iter(code.lines("\n".join(line[1:] for line, kind in zip(body, kinds, strict=True) if kind in (side, "same")), filename))
        for side in ("added", "removed")
    }
    changed = dict(_changed_words(body, kinds))
    rows = []
    at_old, at_new = old, new
    for position, (line, kind) in enumerate(zip(body, kinds, strict=True)):
        if kind == "note":
            rows.append(Row("note", None, None, code.markup((code.Piece("", line.removeprefix("\\").strip()),))))
            continue
        after = next(sides["added"]) if kind != "removed" else ()
        before = next(sides["removed"]) if kind != "added" else ()
        html = code.markup(after or before, changed.get(position, range(0)))
        rows.append(Row(kind, at_old if kind != "added" else None, at_new if kind != "removed" else None, html))
        at_old += kind != "added"
        at_new += kind != "removed"
    return Hunk(old, new, header[3], tuple(rows))


def _changed_words(body: list[str], kinds: list[Kind]) -> Iterator[tuple[int, range]]:
    """Where as many lines were added as removed they are read as pairs; per line, what lies between common start and end."""
    runs = [(kind, [position for position, _ in run]) for kind, run in groupby(enumerate(kinds), key=lambda pair: pair[1])]
    for (first, removed), (second, added) in pairwise(runs):
        if (first, second) != ("removed", "added") or len(removed) != len(added):
            continue
        for was, now in zip(removed, added, strict=True):
            before, after = body[was][1:], body[now][1:]
            start = _common(before, after)
            end = _common(before[start:][::-1], after[start:][::-1])
            if 3 * (start + end) >= min(len(before), len(after)):  # little in common: the whole line changed, marks say nothing
                yield was, range(start, len(before) - end)
                yield now, range(start, len(after) - end)


def _common(one: str, other: str) -> int:
    """How many characters both start with."""
    return next((position for position, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other)))
