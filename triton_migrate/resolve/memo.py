"""Takes questions that lead to other questions, gives each answer once: memo and fixed points of the evaluator.

A question that is being answered already gives what it gave in the round before, at first nothing. Questions that lean on each other
are a knot: it is asked in rounds until no answer in it changes, then all its answers are known. So each answer costs a few evaluations,
however tangled the questions are. A question asked from too deep gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

Answer = TypeVar("Answer")

DEEPEST = 600  # questions on the stack, of some eight Python frames each; what a big application imports leads to nearly 300
ROUNDS = 4  # for one knot: answers grow, but for those that fall back to something else as long as nothing is known
NEVER = 1 << 30


class Memo:
    """Answers by key; a key tells what kind of answer it has. What is false is the answer that says nothing."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Any] = {}
        self._half: dict[Hashable, tuple[Any, Hashable]] = {}  # with the lowest question on the stack that it leans on
        self._trail: list[Hashable] = []  # keys of `_half` in the order they came
        self._guess: dict[Hashable, Any] = {}  # what the questions of an open knot gave in the round before
        self._open: dict[Hashable, int] = {}
        self.stack: list[Hashable] = []  # of questions; one that is asked when `DEEPEST` lie on it gets no answer
        self._low = NEVER
        self._users: dict[Hashable, set[Hashable]] = {}  # the questions that asked another, or looked at what may change
        self.noting = True  # as long as anything may change
        self.spent = 0  # evaluations since the last `forget`

    @property
    def idle(self) -> bool:
        return not self.stack

    def forget(self, changed: Iterable[Hashable] | None = None) -> None:
        """Drop all answers, or those that rest on what has `changed`; only while idle."""
        self.spent = 0
        if changed is None or not self.noting:
            self.known.clear()
            self._users.clear()
            return
        left, dropped = list(changed), set[Hashable]()
        while left:
            for user in self._users.pop(left.pop(), ()):
                if user not in dropped:
                    dropped.add(user)
                    left.append(user)
        for key in dropped:
            self.known.pop(key, None)

    def rests(self, on: Hashable) -> None:
        """The answer under way rests on this."""
        if self.noting and self.stack:
            self._users.setdefault(on, set()).add(self.stack[-1])

    def same(self, key: Hashable, other: Hashable) -> None:
        """The known answer to `other` is that to `key`, too."""
        self.known[key] = self.known[other]
        if self.noting:
            self._users.setdefault(other, set()).add(key)

    def settle(self) -> None:
        """Nothing changes any more."""
        self.noting = False
        self._users.clear()

    def ask(self, key: Hashable, compute: Callable[[], Answer], nothing: Answer) -> Answer:
        if self.noting:
            self.rests(key)
        found: Answer | None = self.known.get(key)
        if found is not None:
            return found
        if (half := self._half.get(key)) is not None:
            self._low = min(self._low, self._depth(half[1]))
            found = half[0]
        elif key in self._open or len(self.stack) >= DEEPEST:
            self._low = min(self._low, self._open.get(key, 0))
            found = self._guess.get(key, nothing)
        else:
            found = self._answer(key, compute)
        assert found is not None
        return found

    def _answer(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        outer, mark, depth = self._low, len(self._trail), len(self.stack)
        self._open[key] = depth
        self.stack.append(key)
        try:
            for last in reversed(range(ROUNDS)):
                self._low = NEVER
                self.spent += 1
                found = compute()
                if self._low != depth or not last or self._stable(key, found, mark):
                    break
                self._again(key, found, mark)
        finally:
            low, self._low = self._low, min(outer, self._low if self._low < depth else NEVER)
            del self._open[key]
            self.stack.pop()
        if low < depth:
            self._half[key] = found, self.stack[low]
            self._trail.append(key)
            return found
        self.known[key] = found
        self._guess.pop(key, None)
        for leaning in self._trail[mark:]:
            self.known[leaning] = self._half.pop(leaning)[0]
            self._guess.pop(leaning, None)
        del self._trail[mark:]
        return found

    def _depth(self, leaned: Hashable) -> int:
        """How deep the question lies that a half answer leans on: by now that may be half answered itself."""
        while leaned not in self._open:
            leaned = self._half[leaned][1]
        return self._open[leaned]

    def _stable(self, key: Hashable, found: object, mark: int) -> bool:
        """Whether the round gave what it assumed."""
        return self._assumed(key, found) and all(self._assumed(k, self._half[k][0]) for k in self._trail[mark:])

    def _assumed(self, key: Hashable, found: object) -> bool:
        return bool(found == self._guess[key]) if key in self._guess else not found

    def _again(self, key: Hashable, found: object, mark: int) -> None:
        """Make what a round gave the assumption of the next."""
        self._guess[key] = found
        for leaning in self._trail[mark:]:
            self._guess[leaning] = self._half.pop(leaning)[0]
        del self._trail[mark:]
