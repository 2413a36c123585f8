"""Takes questions that lead to other questions, gives each answer once: memo and fixed points of the evaluator.

A question that is being answered already gives what it gave in the round before, at first nothing. Questions that lean on each other
are a knot: it is asked in rounds until no answer in it changes, then all its answers are known. So each answer costs a few evaluations,
however tangled the questions are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from triton_migrate.resolve.values import NOTHING, Values

DEEPEST = 100  # questions on the stack; Python's own limit allows about ten frames for each
ROUNDS = 4  # for one knot: answers grow, but for those that fall back to something else as long as nothing is known
NEVER = 1 << 30

Key: TypeAlias = tuple[object, int]


class Memo:
    """Answers by key."""

    def __init__(self) -> None:
        self._known: dict[Key, Values] = {}
        self._half: dict[Key, tuple[Values, Key]] = {}  # with the lowest question on the stack that they lean on
        self._trail: list[Key] = []  # keys of `_half` in the order they came
        self._guess: dict[Key, Values] = {}  # what the questions of an open knot gave in the round before
        self._open: dict[Key, int] = {}
        self._stack: list[Key] = []
        self._low = NEVER

    @property
    def idle(self) -> bool:
        return not self._open

    def forget(self) -> None:
        """Drop all answers; only while idle."""
        self._known.clear()

    def ask(self, key: Key, compute: Callable[[], Values]) -> Values:
        if (known := self._known.get(key)) is not None:
            return known
        if (half := self._half.get(key)) is not None:
            self._low = min(self._low, self._depth(half[1]))
            return half[0]
        depth = len(self._stack)
        if key in self._open or depth >= DEEPEST:
            self._low = min(self._low, self._open.get(key, 0))
            return self._guess.get(key, NOTHING)
        return self._answer(key, compute, depth)

    def _answer(self, key: Key, compute: Callable[[], Values], depth: int) -> Values:
        outer, mark = self._low, len(self._trail)
        self._open[key] = depth
        self._stack.append(key)
        try:
            for last in range(ROUNDS - 1, -1, -1):
                self._low = NEVER
                found = compute()
                if self._low != depth or not last or self._stable(key, found, mark):
                    break
                self._again(key, found, mark)
        finally:
            low, self._low = self._low, min(outer, self._low if self._low < depth else NEVER)
            del self._open[key]
            self._stack.pop()
        if low < depth:
            self._half[key] = found, self._stack[low]
            self._trail.append(key)
            return found
        self._known[key] = found
        for leaned in self._trail[mark:]:
            self._known[leaned] = self._half.pop(leaned)[0]
            self._guess.pop(leaned, None)
        self._guess.pop(key, None)
        del self._trail[mark:]
        return found

    def _depth(self, leaned: Key) -> int:
        """How deep a question lies that a half answer leans on: it may be half answered itself by now."""
        while leaned not in self._open:
            leaned = self._half[leaned][1]
        return self._open[leaned]

    def _stable(self, key: Key, found: Values, mark: int) -> bool:
        """Whether the round gave what it assumed."""
        guess = self._guess
        return found == guess.get(key, NOTHING) and all(self._half[k][0] == guess.get(k, NOTHING) for k in self._trail[mark:])

    def _again(self, key: Key, found: Values, mark: int) -> None:
        """Make what a round gave the assumption of the next."""
        self._guess[key] = found
        for leaned in self._trail[mark:]:
            self._guess[leaned] = self._half.pop(leaned)[0]
        del self._trail[mark:]
