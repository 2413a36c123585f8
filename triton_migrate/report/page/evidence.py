"""Takes the evidence of a pipeline, gives it as blocks of code: what stands close together is shown once, each said line marked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from triton_migrate.report.document import Evidence
from triton_migrate.report.page.code import Line, lines, markup

APART = 1  # lines between two windows that are still one block


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file; `said` where evidence is about it, else it stands near."""

    number: int
    line: Line
    said: bool

    @property
    def html(self) -> str:
        return markup(self.line)


@dataclass(frozen=True, slots=True)
class Block:
    """Evidence about one stretch of a file, with that stretch; no rows where the code is not known."""

    file: str
    evidence: tuple[Evidence, ...]
    rows: tuple[Row, ...]


def blocks(evidence: Sequence[Evidence]) -> tuple[Block, ...]:
    """All of it, in the order of what comes first; within a block by line."""
    groups: list[list[Evidence]] = []
    for one in sorted(evidence, key=lambda e: (e["file"], e["line"])):
        last = groups[-1] if groups else None
        near = last is not None and last[0]["file"] == one["file"] and _first(one) <= max(map(_last, last)) + APART
        if near and last is not None:
            last.append(one)
        else:
            groups.append([one])
    order = {id(one): number for number, one in enumerate(evidence)}
    groups.sort(key=lambda group: min(order[id(one)] for one in group))
    return tuple(Block(group[0]["file"], tuple(group), _rows(group)) for group in groups)


def _rows(group: list[Evidence]) -> tuple[Row, ...]:
    texts: dict[int, str] = {}
    said: set[int] = set()
    for one in group:
        written = _written(one)
        texts |= {_first(one) + number: text for number, text in enumerate(written)}
        said |= set(range(one["line"], one["line"] + one["snippet"].count("\n") + 1))
    numbers = sorted(texts)
    while numbers and not texts[numbers[-1]].strip():
        numbers.pop()
    while numbers and not texts[numbers[0]].strip():
        numbers.pop(0)
    shown = lines(textwrap.dedent("\n".join(texts[number] for number in numbers)), group[0]["file"]) if numbers else []
    return tuple(Row(number, line, number in said) for number, line in zip(numbers, shown, strict=False))


def _written(one: Evidence) -> list[str]:
    around = one.get("before", "") + one["snippet"].rstrip("\n") + (f"\n{one['after']}" if one.get("after") else "")
    return around.split("\n")


def _first(one: Evidence) -> int:
    return one["line"] - one.get("before", "").count("\n")


def _last(one: Evidence) -> int:
    return _first(one) + len(_written(one)) - 1
