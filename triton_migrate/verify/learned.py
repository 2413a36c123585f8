"""Takes what the original said to a request that it refused or failed at, gives what the next one may try: it often says what it wants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from triton_migrate.verify.shapes import Schema

KEY: Final = re.compile(r"KeyError: ['\"]([^'\"]+)['\"]")
LENGTH: Final = re.compile(r"(?<![\d.])\d{1,4}(?![\d.])")
TAG: Final = re.compile(r"<[^<>]*>")
QUOTED: Final = re.compile(r"['\"]([^'\"\\]+)\\?['\"]")
COLUMN: Final = re.compile(r"(?=(['\"])([^\W\d][\w .-]{0,40})\1(?!\s*:))")  # no key of a JSON object; quotes may stand in quotes
MOST_WIDTHS, MOST_NAMES = 8, 64


@dataclass(frozen=True, slots=True)
class Learned:
    """Lengths of rows, keys that were missed, what is known of fields by their names, names that other entries take, columns of a table."""

    widths: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    told: tuple[tuple[str, Schema], ...] = ()
    siblings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def schemas(self) -> Mapping[str, Schema]:
        return dict(self.told)

    def of(self, said: str, fields: Iterable[str]) -> Learned:
        """With what `said` teaches: `KeyError: 'x'`, `expecting 5 features`, `x must be between 8 and 18`, `x: 'a', 'b' or 'c'`."""
        names = dict.fromkeys((*self.names, *KEY.findall(said)))
        lengths = (int(found) for found in LENGTH.findall(said))
        widths = dict.fromkeys((*self.widths, *(length for length in lengths if length > 1)))
        text = TAG.sub(" ", said)
        told = {**self.schemas, **{name: schema for name in fields if name and (schema := _meant(name, text))}}
        return replace(self, widths=tuple(widths)[:MOST_WIDTHS], names=tuple(names)[:MOST_NAMES], told=tuple(told.items()))

    def of_table(self, said: str) -> Learned:
        """With the columns that a table was said to lack: whatever stands in quotes and could be a name."""
        return replace(self, columns=tuple(dict.fromkeys((*self.columns, *(name for _, name in COLUMN.findall(said)))))[:MOST_NAMES])

    def knowing(self, schemas: Mapping[str, Schema]) -> Learned:
        """With the schemas of fields that were right."""
        return replace(self, told=tuple({**self.schemas, **schemas}.items()))


def _meant(name: str, text: str) -> Schema | None:
    """The bounds or the choices that a sentence gives a field."""
    called = re.escape(name).replace("_", "[_ ]")
    if found := re.search(rf"\b{called}\b[^\d.,;]{{1,40}}?(-?\d+(?:\.\d+)?)\D{{1,12}}?(-?\d+(?:\.\d+)?)", text):
        low, high = float(found[1]), float(found[2])
        return {"type": "number", "minimum": low, "maximum": high} if low < high else None
    if found := re.search(rf"\b{called}\b.{{1,60}}?(?:one of|should be|choose from|in)\W+(['\"].{{1,200}})", text):
        choices = QUOTED.findall(found[1])
        return {"enum": choices} if len(choices) > 1 else None
    return None
