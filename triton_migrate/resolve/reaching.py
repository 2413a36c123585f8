"""Takes the bindings of a name in a function, gives those that its value may come from at a place: names are used again for other things.

`image = Image.open(f); image = image.resize(s); image = np.array(image)`: a picture before the last statement, an array after it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Binding

State = frozenset[int]  # positions in the list of bindings


class Reaching:
    """Answers for one name of one function. A state of None means that no way leads there."""

    def __init__(self, function: ir.Function, bindings: Sequence[Binding]) -> None:
        self.function, self.bindings = function, tuple(bindings)
        self._starts = sorted((b.at[:2], i) for i, b in enumerate(bindings) if b.how != "parameter")
        self._before: dict[ir.At, State] = {}
        self._after: dict[ir.At, State] = {}
        self._told: dict[tuple[bool, ir.At], tuple[Binding, ...]] = {}
        self._block(function.body, frozenset(i for i, b in enumerate(bindings) if b.how == "parameter"))

    def before(self, at: ir.At) -> tuple[Binding, ...]:
        """What may be bound when the code at this place runs; every binding when the place is not in the function's own statements."""
        return self._told.get((False, at)) or self._picked(self._before, at)

    def after(self, at: ir.At) -> tuple[Binding, ...]:
        """What may be bound once the statement at this place is done."""
        return self._told.get((True, at)) or self._picked(self._after, at)

    def _picked(self, known: dict[ir.At, State], at: ir.At) -> tuple[Binding, ...]:
        holders = [s for s in flow.around(self.function.body, at) if s.at in known]
        nested = not holders or isinstance(holders[-1], (ir.Define, ir.DefineClass))
        found = self.bindings if nested else tuple(self.bindings[i] for i in sorted(known[holders[-1].at])) or self.bindings
        self._told[known is self._after, at] = found
        return found

    # ------------------------------------------------------------ statements

    def _block(self, block: ir.Block, state: State | None) -> State | None:
        for stmt in block:
            if state is None:
                return None
            self._before[stmt.at] = self._before.get(stmt.at, frozenset()) | state
            state = self._statement(stmt, state)
            if state is not None:
                self._after[stmt.at] = self._after.get(stmt.at, frozenset()) | state
        return state

    def _statement(self, stmt: ir.Stmt, state: State) -> State | None:
        compound = isinstance(stmt, (ir.If, ir.For, ir.While, ir.With, ir.Match))
        head = self._inside(e.at for e in flow.expressions(stmt)) if compound else frozenset()
        match stmt:
            case ir.If(_, _, one, two):
                return _either(self._block(one, state | head), self._block(two, state | head))
            case ir.For(_, _, _, one, two) | ir.While(_, _, one, two):
                every = state | self._inside(s.at for s in one)
                if isinstance(stmt, ir.While):
                    self._before[stmt.at] |= every
                self._block(one, head or every)
                return self._block(two, every | head)
            case ir.Try(_, one, handlers, two, final):
                failed = state | self._inside(s.at for s in one)
                done = self._block(two, self._block(one, state))
                for handler in handlers:
                    named = frozenset(i for i, b in enumerate(self.bindings) if b.node is handler)
                    done = _either(done, self._block(handler.body, named or failed))
                return self._block(final, done)
            case ir.With(_, _, one):
                return self._block(one, head or state)
            case ir.Match(_, _, cases):
                captured = frozenset(i for i, b in enumerate(self.bindings) if b.how == "unknown" and b.at == stmt.at)
                found: State | None = state
                for case in cases:
                    found = _either(found, self._block(case.body, state | head | captured))
                return found
            case ir.Return() | ir.Raise():
                return None
            case ir.Jump(_, kind):
                return state if kind == "pass" else None
        own = self._inside((stmt.at,))
        certain = isinstance(stmt, (ir.Assign, ir.Import, ir.ImportFrom)) and not (isinstance(stmt, ir.Assign) and stmt.augmented)
        defines = any(self.bindings[i].how in ("function", "class") for i in own)  # not only a `nonlocal` inside
        return own if own and (certain or defines) else state | own

    def _inside(self, places: Iterable[ir.At]) -> State:
        """The bindings that stand in these places."""
        return frozenset(i for place in places for i in self._standing(place))

    def _standing(self, place: ir.At) -> Iterator[int]:
        for at in range(bisect_left(self._starts, (place[:2], 0)), len(self._starts)):
            start, i = self._starts[at]
            if start > place[2:]:
                break
            if ir.holds(place, self.bindings[i].at):
                yield i


def _either(one: State | None, two: State | None) -> State | None:
    return two if one is None else one if two is None else one | two
