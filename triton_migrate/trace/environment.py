"""What a walk knows at a moment: local names and the heap, each place with what its content depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triton_migrate.trace.records import Cell, Step
from triton_migrate.trace.taints import CLEAN, Taint


class Env:
    """Local names and what their values depend on; closures read the enclosing function's."""

    __slots__ = ("names", "outer")

    def __init__(self, names: dict[str, Taint], outer: Env | None = None) -> None:
        self.names, self.outer = names, outer

    def get(self, name: str) -> Taint | None:
        if name in self.names:
            return self.names[name]
        return self.outer.get(name) if self.outer else None

    def add(self, name: str, taint: Taint) -> None:
        self.names[name] = self.names.get(name, CLEAN) | taint


class Heap:
    """Cells and what they depend on: this only grows. It knows what was read, so that a walk is repeated only where it may find more."""

    def __init__(self) -> None:
        self._cells: dict[Cell, Taint] = {}
        self._read: list[set[Cell]] = [set()]  # for each function and loop under way
        self._grown: list[Cell] = []

    def held(self, cell: Cell) -> Taint:
        """What the cell depends on."""
        self._read[-1].add(cell)
        return self._cells.get(cell, CLEAN)

    def put(self, cell: Cell, taint: Taint, step: Step, certain: bool = True) -> None:
        held = self._cells.get(cell, CLEAN)
        if not taint <= held or cell not in self._cells:
            self._cells[cell] = held | taint
            self._grown.append(cell)
        if cell.lasting and certain:
            step.writes.add(cell)

    def watch(self, work: Callable[[], None]) -> Seen:
        """Do `work`; what it read, as it is now."""
        mark = len(self._grown)
        self._read.append(set())
        work()
        read = self._read.pop()
        self._read[-1] |= read
        return Seen({cell: self._cells.get(cell) for cell in read}, not read.isdisjoint(self._grown[mark:]))

    def unchanged(self, seen: Seen) -> bool:
        """Whether all that was read still is what it was; if so, it counts as read anew."""
        same = all(self._cells.get(cell) is taint for cell, taint in seen.cells.items())
        if same:
            self._read[-1].update(seen.cells)
        return same


@dataclass(frozen=True, slots=True)
class Seen:
    """Cells that some work read, with what they held after it; `grew`: some of them were put into meanwhile."""

    cells: dict[Cell, Taint | None]
    grew: bool
