"""What is known of the types of one program's expressions, for the pipelines of all its entries.

Most answers are the same whoever came to the code. The others rest on how a function was entered: they hold wherever the functions they
rest on were entered by the same calls. An answer that was cut short, because its question was being answered already or was asked from
too deep, is not kept, nor is one that rests on what only one pipeline knows.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from triton_migrate.index import ir
from triton_migrate.plan.values.declared import Declared
from triton_migrate.plan.values.threads import Threads
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope

Callers: TypeAlias = Mapping[Scope, tuple[ir.Call, Frame]]  # which call entered a function


@dataclass(frozen=True, slots=True)
class Answer:
    """`entered`: the functions that it rests on, each with the call that entered it then."""

    found: VType
    entered: tuple[tuple[Scope, tuple[ir.Call, Frame] | None], ...]

    def holds(self, callers: Callers) -> bool:
        return all(_same(callers.get(scope), entered) for scope, entered in self.entered)


class Answers:
    """The answers of one program, by what was asked: an expression and a frame, or a function's frame and what it was given."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.declared, self.threads = Declared(evaluator), Threads(evaluator)
        self._known: dict[Hashable, list[Answer]] = {}
        self._asked: list[object] = []  # what the keys name by its identity

    def known(self, key: Hashable, callers: Callers) -> Answer | None:
        for answer in self._known.get(key, ()):
            if answer.holds(callers):
                return answer
        return None

    def keep(self, key: Hashable, found: VType, rests: frozenset[Scope], callers: Callers, asked: object = None) -> None:
        """`rests`: the functions whose callers were asked for; `asked`: what the key names by its identity."""
        self._known.setdefault(key, []).append(Answer(found, tuple((scope, callers.get(scope)) for scope in rests)))
        self._asked.append(asked)


def _same(one: tuple[ir.Call, Frame] | None, two: tuple[ir.Call, Frame] | None) -> bool:
    return one is two or (one is not None and two is not None and one[0] is two[0] and one[1] is two[1])
