"""Takes names of a function, gives those whose values hold something of the running process: what waits for a result, a lock, a queue.

`items` of `[(features, future), ...]` cannot be sent, but `[features for features, _ in items]` can: the app evaluates it (see `hoists`).
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Container, Tuples, Value
from triton_migrate.rulebook.vocabulary import ChannelPut, DataLive

DEPTH = 3  # containers in each other


class Living:
    """Answers for one program."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        channels = (r for r in evaluator.rulebook.of_role(ChannelPut) if r.channel == "self")
        self._channels = frozenset(api.rpartition(".")[0] for r in channels for api in r.api)  # `asyncio.Future()` is one

    def holds(self, name: str, frame: Frame) -> bool:
        """Whether a container of that name holds such an object."""
        values = (v for v in self.evaluator.name(name, frame) if isinstance(v, (Container, Tuples)))
        return any(self._holds(v, DEPTH) for v in values)

    def parts(self, expr: ir.Expr, frame: Frame) -> Iterator[ir.Name]:
        """The names in an expression of this function whose values hold such objects."""
        yield from (p for p in walk(expr) if isinstance(p, ir.Name) and p.id in frame.scope.bindings and self.holds(p.id, frame))

    def _holds(self, value: Value, depth: int) -> bool:
        if isinstance(value, Api):
            made = self.evaluator.rulebook.find(value.path.removesuffix("()"), DataLive)
            return value.path.endswith("()") and (made is not None or self._is_channel(value.path))
        if not isinstance(value, (Container, Tuples)) or not depth:
            return False
        return any(self._holds(inner, depth - 1) for inner in self.evaluator.element(value, None))

    def _is_channel(self, path: str) -> bool:
        return path in self._channels or any(self.evaluator.rulebook.canonical(c) == path for c in self._channels)
