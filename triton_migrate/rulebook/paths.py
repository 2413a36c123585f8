"""Takes access paths and path patterns, gives what a pattern means and a table that finds patterns fast.

A path is names joined by `.` with `()` and `[]` (or `[0]`, the first of a tuple) behind them. In a pattern `*` stands for one name, or
beside letters for a part of one (`*Classifier`), and `{a,b}` for alternatives. A scan asks for some hundred thousand paths: hence a
dict for paths without `*`, and the others in buckets that leave few to try.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Row = TypeVar("Row")

TOKEN = re.compile(r"[^.()\[\]]+|\(\)|\[\d*\]")
PATTERN = re.compile(r"[A-Za-z_]\w*(?:\.[\w*]+|\(\)|\[\d*\])*")
BORDERS = frozenset(".()[]")
ALTERNATIVES = re.compile(r"\{([^{}]*)\}")


def tokens(path: str) -> tuple[str, ...]:
    """`flask.Flask().route` -> `("flask", "Flask", "()", "route")`."""
    return tuple(TOKEN.findall(path))


def prefixes(path: str) -> Iterator[tuple[str, str]]:
    """Every way to cut `path` at a border of names, longest head first: `(head, rest)`, `rest` with its dot or bracket."""
    for token in reversed(list(TOKEN.finditer(path))):
        yield path[: token.end()], path[token.end() :]


def expand(pattern: str) -> tuple[str, ...]:
    """The pattern once per choice of its `{a,b}` alternatives."""
    braces = ALTERNATIVES.search(pattern)
    if braces is None:
        return (pattern,)
    head, rest = pattern[: braces.start()], expand(pattern[braces.end() :])
    return tuple(head + choice.strip() + tail for choice in braces[1].split(",") for tail in rest)


def is_pattern(text: str) -> bool:
    """Whether an expanded pattern is well formed; its first name may not be or hold a wildcard."""
    return PATTERN.fullmatch(text) is not None


def import_prefixes(path: str) -> Iterator[str]:
    """The dotted names that begin `path`, longest first, up to its first call or subscript."""
    names = re.split(r"[(\[]", path, maxsplit=1)[0].split(".")
    for count in range(len(names), 0, -1):
        yield ".".join(names[:count])


class PathTable(Generic[Row]):
    """Rows by the pattern of the paths they are about. Patterns are read when they are first needed: one scan meets few libraries."""

    __slots__ = ("_covering", "_exact", "_wild", "_wild_roots")

    def __init__(self, rows: Iterable[tuple[str, Row]]) -> None:
        exact: defaultdict[str, list[Row]] = defaultdict(list)
        wild: defaultdict[tuple[str, int], list[tuple[str, Row]]] = defaultdict(list)
        for pattern, row in rows:
            if "*" in pattern:
                parts = tokens(pattern)
                wild[parts[0], len(parts)].append((pattern, row))
            else:
                exact[pattern].append(row)
        self._exact = {path: tuple(found) for path, found in exact.items()}
        self._wild = dict(wild)
        self._covering: dict[tuple[str, int], tuple[tuple[Callable[[str], object], Row], ...]] = {}
        self._wild_roots = frozenset(root for root, _ in wild)

    def find(self, path: str) -> tuple[Row, ...]:
        """All rows whose pattern is or covers `path`, the most particular pattern first."""
        exact = self._exact.get(path, ())
        if path.partition(".")[0] not in self._wild_roots:
            return exact
        parts = tokens(path)
        return exact + tuple(row for covers, row in self._bucket((parts[0], len(parts))) if covers(path))

    def _bucket(self, key: tuple[str, int]) -> tuple[tuple[Callable[[str], object], Row], ...]:
        if key not in self._covering:
            self._covering[key] = tuple((_covers(pattern), row) for pattern, row in sorted(self._wild.get(key, ()), key=_width))
        return self._covering[key]


def _covers(pattern: str) -> Callable[[str], object]:
    """What says whether a path is of the pattern: to compile an expression takes longer than all that one scan asks of it."""
    head, _, tail = pattern.partition("*")
    if "*" in tail:
        return re.compile(r"[^.()\[\]]*".join(re.escape(part) for part in pattern.split("*"))).fullmatch
    begin, least, end = len(head), len(head) + len(tail), -len(tail) or None

    def covers(path: str) -> bool:
        return path.startswith(head) and path.endswith(tail) and len(path) >= least and BORDERS.isdisjoint(path[begin:end])

    return covers


def _width(row: tuple[str, object]) -> tuple[int, int]:
    pattern = row[0]
    return pattern.count("*"), -len(pattern)
