"""Takes questions that lead to other questions, gives each answer once: memo and recursion guard of the evaluator.

A question that is being answered already gives nothing (the least fixed point, cut short). Whatever leaned on such a cut is kept
only until the question that was cut has its answer, then forgotten and asked anew: memory holds half an answer only where a knot of
questions is too large to untie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from triton_migrate.resolve.values import NOTHING, Values

DEEPEST = 70  # questions on the stack; Python's own limit allows about ten frames for each
NEVER = 1 << 30

LARGE = 300  # half answers of one question that are kept as they are: asking them all anew would not end

Key: TypeAlias = tuple[object, int]


class Memo:
    """Answers by key."""

    def __init__(self) -> None:
        self._known: dict[Key, Values] = {}
        self._half: dict[Key, tuple[Values, int]] = {}  # with the depth of the lowest question they leaned on
        self._trail: list[Key] = []  # keys of `_half` in the order they came
        self._open: dict[Key, int] = {}
        self._low = NEVER

    @property
    def idle(self) -> bool:
        return not self._open

    def forget(self) -> None:
        """Drop all answers; only while idle."""
        self._known.clear()

    def ask(self, key: Key, compute: Callable[[], Values]) -> Values:
        if key in self._known:
            return self._known[key]
        if key in self._half:
            found, low = self._half[key]
            self._low = min(self._low, low)
            return found
        depth = len(self._open)
        if key in self._open or depth >= DEEPEST:
            self._low = min(self._low, self._open.get(key, 0))
            return NOTHING
        outer, self._low = self._low, NEVER
        mark = len(self._trail)
        self._open[key] = depth
        try:
            found = compute()
        finally:
            del self._open[key]
            low, self._low = self._low, min(outer, self._low if self._low < depth else NEVER)
        if low < depth:
            self._half[key] = found, low
            self._trail.append(key)
            return found
        self._known[key] = found
        leaning = self._trail[mark:]
        for leaned in leaning:
            half, _ = self._half.pop(leaned)
            if len(leaning) > LARGE:
                self._known[leaned] = half
        del self._trail[mark:]
        return found
