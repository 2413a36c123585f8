"""Takes a function and an expression in it, gives the statements above it that its value needs: how the program makes an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness


@dataclass(frozen=True, slots=True)
class Needed:
    """The statements in order, the function's parameters that they read, and the expression that is the object then.

    `leaves` is a statement among them that may end the function before the object is made.
    """

    statements: ir.Block
    arguments: frozenset[str]
    result: ir.Expr
    leaves: ir.Stmt | None


class Making:
    """Backward slices of one function."""

    def __init__(self, function: ir.Function, plain: dict[int, ir.Expr]) -> None:
        """`plain`: by id, expressions that read nothing (settings, which are known)."""
        self.function, self.plain = function, plain
        self.parameters = frozenset(p.name for p in function.parameters)
        self.local = self.parameters | flow.binds(function.body)

    def needed(self, expr: ir.Expr, at: ir.At) -> Needed:
        """What an expression of the statement at `at` needs."""
        return self._slice(self._names(expr), _above(self.function.body, at), expr)

    def made(self, call: ir.Call, use: ir.At | None) -> Needed:
        """What the object that a call makes needs, up to its `use` in this function, or to the end of the block that makes it."""
        path = liveness.blocks_around(self.function.body, call.at)
        block, index = path[-1]
        holder = block[index]
        if not (isinstance(holder, ir.Assign) and len(holder.targets) == 1 and isinstance(holder.targets[0], ir.Name)):
            return self.needed(call, holder.at)
        name = holder.targets[0]
        while True:
            above = [s for b, i in path[:-1] for s in b[:i]] + list(path[-1][0])
            found = self._slice({name.id}, above if use is None else _above(self.function.body, use), name)
            opened = [k for k, (b, i) in enumerate(path[:-1]) if use is None and self._opens(b[i], found)]
            if not opened:  # nothing but `name = Call()`: the call says it all
                return replace(found, statements=(), result=call) if found.statements == (holder,) and holder.value is call else found
            path = path[: opened[0] + 1]  # `with open(...) as f:` comes along as a whole

    def bound(self, name: str, fetches: Callable[[ir.Stmt], bool]) -> Needed:
        """What a start-up hook does, before it yields, to make a global; what `fetches` files before that belongs to it."""
        above = list(_until_yield(self.function.body))
        return self._slice({name}, above, ir.Constant(self.function.at, None), fetches)

    def _opens(self, stmt: ir.Stmt, found: Needed) -> bool:
        bound = flow.binds((stmt._replace(body=()),)) if isinstance(stmt, ir.With) else set()
        return bool(bound & (self._reads(found.statements) | self._names(found.result)) - flow.binds(found.statements))

    def _names(self, expr: ir.Expr) -> set[str]:
        return {n.id for n in flow.names(liveness.substituted(expr, self.plain))}

    def _exposed(self, stmt: ir.Stmt) -> set[str]:
        return flow.exposed(liveness.substituted((stmt,), self.plain))

    def _reads(self, statements: ir.Block) -> set[str]:
        return flow.reads(liveness.substituted(statements, self.plain))

    def _slice(
        self, needed: set[str], above: list[ir.Stmt], result: ir.Expr, fetches: Callable[[ir.Stmt], bool] = lambda _: False
    ) -> Needed:
        needed &= self.local
        chosen: list[ir.Stmt] = []
        for stmt in reversed(above):
            if liveness.written((stmt,)) & needed or (chosen and fetches(stmt)):
                chosen.insert(0, stmt)
                needed |= self._exposed(stmt) & self.local
        bound: set[str] = set()
        given: set[str] = set()
        for stmt in chosen:
            given |= self._reads((stmt,)) & self.parameters - bound
            bound |= flow.binds((stmt,))
        given |= self._names(result) & self.parameters - bound
        ends = (s for s in flow.flatten(tuple(chosen)) if isinstance(s, ir.Return) or any(flow.yields(e) for e in flow.expressions(s)))
        return Needed(tuple(chosen), frozenset(given), result, next(ends, None))


def _until_yield(body: ir.Block) -> Iterator[ir.Stmt]:
    """The statements before the one that yields; of a `try` around it those before it inside."""
    for stmt in body:
        if any(flow.yields(e) for s in flow.flatten((stmt,)) for e in flow.expressions(s)):
            if isinstance(stmt, ir.Try):
                yield from _until_yield(stmt.body)
            return
        yield stmt


def _above(body: ir.Block, at: ir.At) -> list[ir.Stmt]:
    """The statements that stand before the start of a place in the blocks around it."""
    start = (*at[:2], *at[:2])
    return [s for block, index in liveness.blocks_around(body, start) for s in block[:index]]
