"""Takes two answers of the original to the same request, gives the places that vary by themselves: times, ids, samples, and their names.

A port cannot answer alike there. It still has to give a value of the same kind at the same place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from triton_migrate.verify.client import Reply
from triton_migrate.verify.compare import CAP, MISSING, UNPROVEN, differences
from triton_migrate.verify.records import Difference
from triton_migrate.verify.requests import RecordedRequest

INDEX = re.compile(r"\[\d+\]")
LINE = re.compile(r"line \d+")
BYTES = re.compile(r"byte \d+|length")
EVERY_LINE, BODY = "line *", "the body's bytes"


@dataclass(frozen=True, slots=True)
class Varying:
    """One place: a JSON path whose indices are `[*]`, a line, a header. `below`: all under it; `optional`: it may be absent."""

    place: str
    below: bool = False
    optional: bool = False

    def covers(self, difference: Difference) -> bool:
        place = _place(difference.path)
        there = place == self.place or (self.below and place.startswith(self.place)) or (self.place == EVERY_LINE and _is_line(place))
        if MISSING in (difference.original, difference.port):
            return there and (self.optional or self.below or self.place == EVERY_LINE)
        return there and (self.below or not place.startswith("$") or _kind(difference.original) == _kind(difference.port))


def varying(request: RecordedRequest, first: Reply, again: Reply) -> tuple[Varying, ...]:
    """Where the original's two answers differ, each place once."""
    found = tuple(d for d in differences(request, first, again) if d.path != UNPROVEN)
    if len(found) == CAP or any(_is_line(d.path) and MISSING in (d.original, d.port) for d in found):
        found = tuple(d for d in found if not _is_line(d.path) and not d.path.startswith("$"))
        return tuple(dict.fromkeys((*map(_varying, found), Varying(EVERY_LINE), Varying("$", below=True, optional=True))))
    return tuple(dict.fromkeys(map(_varying, found)))


def unexplained(found: tuple[Difference, ...], places: Iterable[Varying]) -> tuple[Difference, ...]:
    """The differences that no varying place covers."""
    known = tuple(places)
    return tuple(d for d in found if not any(place.covers(d) for place in known))


def _varying(difference: Difference) -> Varying:
    optional = MISSING in (difference.original, difference.port)
    place = _place(difference.path)
    if place.startswith("$") and place.endswith(".length"):
        return Varying(place.removesuffix(".length"), below=True, optional=True)
    return Varying(place, optional=optional)


def _place(path: str) -> str:
    if path.startswith("$"):
        return INDEX.sub("[*]", path)
    return BODY if BYTES.fullmatch(path) else path


def _is_line(place: str) -> bool:
    return LINE.fullmatch(place) is not None


def _kind(shown: str) -> str:
    """What kind of JSON value a shown one is."""
    first = shown[:1]
    if first in '"{[tfn':
        return "bool" if first in "tf" else first
    return "float" if any(mark in shown for mark in ".eEIN") else "int"
