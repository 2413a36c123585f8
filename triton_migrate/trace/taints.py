"""What a value depends on: a set of origins, kept as one number with a bit for each.

Joining such sets is what a walk does most, and in a large program they hold thousands of steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from triton_migrate.trace.records import Origin

Kind = TypeVar("Kind")


class Taint:
    """A frozen set of origins of one walk."""

    __slots__ = ("_bits", "_origins")

    def __init__(self, bits: int, origins: Origins) -> None:
        self._bits, self._origins = bits, origins

    def __or__(self, other: Taint) -> Taint:
        """Always a new object: the walk tells by its identity whether a name was bound anew."""
        return Taint(self._bits | other._bits, self._origins if self._bits else other._origins)

    def union(self, *others: Taint) -> Taint:
        bits, origins = self._bits, self._origins
        for other in others:
            if other._bits:
                bits |= other._bits
                origins = other._origins
        return Taint(bits, origins)

    def __le__(self, other: Taint) -> bool:
        return not self._bits & ~other._bits

    def meets(self, other: Taint) -> bool:
        """Whether they have an origin in common."""
        return bool(self._bits & other._bits)

    def only(self, kind: type[Origin]) -> Taint:
        """Its origins of one kind."""
        return Taint(self._bits & self._origins.kinds.get(kind, 0), self._origins)

    def of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """The same, spelled out."""
        return tuple(o for o in self._origins.spelled(self._bits & self._origins.kinds.get(kind, 0)) if isinstance(o, kind))

    def __and__(self, others: AbstractSet[Origin]) -> frozenset[Origin]:
        return frozenset(o for o in others if o in self)

    def __contains__(self, origin: object) -> bool:
        return bool(self._bits & self._origins.bits.get(origin, 0))

    def __iter__(self) -> Iterator[Origin]:
        return self._origins.spelled(self._bits)

    def __bool__(self) -> bool:
        return bool(self._bits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Taint) and self._bits == other._bits

    def __hash__(self) -> int:
        return hash(self._bits)


class Origins:
    """The origins that one walk met, in the order it met them."""

    def __init__(self) -> None:
        self.bits: dict[object, int] = {}
        self.kinds: dict[type, int] = {}  # the bits of all origins of one type
        self._found: list[Origin] = []

    def taint(self, *origins: Origin) -> Taint:
        """What depends on these."""
        bits = 0
        for origin in origins:
            if (bit := self.bits.get(origin)) is None:
                bit = self.bits[origin] = 1 << len(self._found)
                self.kinds[type(origin)] = self.kinds.get(type(origin), 0) | bit
                self._found.append(origin)
            bits |= bit
        return Taint(bits, self)

    def spelled(self, bits: int) -> Iterator[Origin]:
        while bits:
            lowest = bits & -bits
            yield self._found[lowest.bit_length() - 1]
            bits ^= lowest


CLEAN = Taint(0, Origins())
