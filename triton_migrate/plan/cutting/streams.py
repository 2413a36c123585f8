"""Takes a generator function on the way to the predict sites, gives the runs of its statements that may leave it as a stream, as `Cut`s.

What such a run yields is sent as it comes: the model's side becomes a decoupled model, the app's side yields what arrives. Nothing that
the run binds can come back, as it has no end that the app waits for.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.costs import HEAVY, MOVED, ONE_BY_ONE, WAITS, crossing_cost
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut
from triton_migrate.plan.leaving.judge import LASTING, Judge
from triton_migrate.plan.values.types import Types
from triton_migrate.plan.values.vtype import UNKNOWN, VType, union
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Pipeline

WHY = "the loop that runs the model yields its results: it leaves the app whole, and each result is sent as soon as it is made"


class Streams:
    """The streams of one generator function. `problems` collects why runs were given up, the most telling first."""

    def __init__(self, pipeline: Pipeline, judge: Judge, types: Types, frame: Frame, calls: tuple[ir.Call, ...], depth: int) -> None:
        self.pipeline, self.judge, self.types, self.frame, self.calls = pipeline, judge, types, frame, calls
        self.scope, self.function = frame.scope, frame.scope.function
        self.local = liveness.local_names(self.scope)
        self.loaded = judge.stand_ins((e for s in self.function.body for e in flow.every(s)), frame)
        self.dropped = tuple(s for s in self._beside(self.function.body) if judge.asks_whether_left(s, frame))
        self.gone = frozenset(map(id, self.dropped))
        self.problems: list[NoCut] = []
        above = [s.chain[depth - 1][1].scope for s in pipeline.sites if depth]
        calling = [scope.function for scope in above if scope.kind == "function"]  # a script's top level calls, too
        self.waits = not self.function.is_async and any(f.is_async and f.is_generator for f in calling)

    def cuts(self) -> Iterator[Cut]:
        for block, low, high in self._blocks():
            first, last = low, low - 1
            while first > self._begin(block) and self._may_move(block, first - 1):
                first -= 1
            while last + 1 < len(block) and self._may_move(block, last + 1):
                last += 1
            if last < high:
                self._explain(block[last + 1])
            for start in range(first, low + 1):
                for end in range(high, last + 1):
                    if cut := self._cut(block, start, end):
                        yield cut

    def _blocks(self) -> Iterator[tuple[ir.Block, int, int]]:
        """The blocks around all the calls, the outermost first, with the statements of each that hold them."""
        block = self.function.body
        while places := [i for i, s in enumerate(block) if any(liveness.holds(s, c) for c in self.calls)]:
            yield block, places[0], places[-1]
            inside = [b for b in flow.blocks(block[places[0]]) if any(liveness.holds(s, c) for s in b for c in self.calls)]
            if len(places) > 1 or len(inside) != 1:
                return
            block = inside[0]

    def _beside(self, block: ir.Block) -> Iterator[ir.Stmt]:
        """All statements that are not the only one of their block."""
        for stmt in block:
            yield from (stmt,) if len(block) > 1 else ()
            for inner in flow.blocks(stmt):
                yield from self._beside(inner)

    def _begin(self, block: ir.Block) -> int:
        return 1 if block is self.function.body and self.function.docstring else 0

    def _ends(self, block: ir.Block, index: int) -> bool:
        return index == len(block) - 1 and block is self.function.body

    def _may_move(self, block: ir.Block, index: int) -> bool:
        rest = liveness.thinned((block[index],), self.gone)
        return all(self.judge.movable(stmt, self.frame, self._ends(block, index), streams=True) for stmt in rest)

    def _cut(self, block: ir.Block, first: int, last: int) -> Cut | None:
        run = liveness.thinned(block[first : last + 1], self.gone)
        ends = self._ends(block, last)
        yields = [e for s in flow.flatten(run) for e in flow.own(s) if isinstance(e, ir.Yield)]
        if not yields or (not ends and any(isinstance(s, ir.Return) for s in flow.flatten(run))):
            return None
        where = Span(self.scope.file, *run[0].at)
        if self.judge.scratch.parted(self.scope, block[first : last + 1]):
            return None
        if any(isinstance(s, ir.Assign) and isinstance(s.value, ir.Yield) for s in flow.flatten(run)):
            self.problems.append(NoCut(f"{self.function.name} takes values that are sent to it", where, "pass them as arguments"))
            return None
        if kept := sorted(flow.binds(run) & liveness.read_after(self.function.body, block[first : last + 1])):
            self.problems.append(NoCut(f"{kept[0]} is made while the results are yielded, and read after them", where,
                                       f"yield what is needed of {kept[0]}, too"))  # fmt: skip
            return None
        inputs, receivers = self._inputs(run)
        stuck = next((c for c in inputs if c.type.travels is False), None)
        web = next((c for c in inputs if any(self.judge.of_the_web(v) for v in self.judge.evaluator.name(c.name, self.frame))), None)
        if stuck is not None and first > self._begin(block) and stuck.name in flow.binds((block[first - 1],)):
            self._explain(block[first - 1])
            return None
        if stuck is not None or web is not None or not inputs:
            self.problems.append(_refused(stuck, web, where))
            return None
        output = Crossing(_name(yields), self._yielded(yields))
        if output.type.travels is False:
            self.problems.append(NoCut(f"{self.function.name} yields something that cannot be sent", where,
                                       "yield text, bytes, numbers, lists or arrays"))  # fmt: skip
            return None
        cost = self._left(run) + crossing_cost((*inputs, output)) + ONE_BY_ONE + MOVED * len(run) + (WAITS if self.waits else 0)
        return Cut("stream", self.scope, self.frame, block, first, last, tuple(self.pipeline.sites), inputs, (output,), receivers, ends,
                   False, self.calls[0], (), cost, WHY,
                   dropped=tuple(s for s in self.dropped if any(s is i for i in flow.flatten(block[first : last + 1]))))  # fmt: skip

    def _inputs(self, run: ir.Block) -> tuple[tuple[Crossing, ...], tuple[str, ...]]:
        """Live-ins: values that cross, and names of objects that are made anew on the model's side."""
        plain: ir.Block = liveness.substituted(run, {id(e): ir.Constant(e.at, None) for e in self.loaded})
        before = {p.name for p in self.function.parameters} | liveness.bound_before(self.function.body, run[0])
        known = (self.local & before) | liveness.names_around(self.scope)
        names = sorted(flow.exposed(plain) & known)
        receivers = tuple(n for n in names if self.judge.is_receiver(n, self.frame))
        return tuple(Crossing(n, self.types.name(n, self.frame)) for n in names if n not in receivers), receivers

    def _yielded(self, yields: list[ir.Yield]) -> VType:
        if self.function.returns is not None:
            declared = self.types.declared.annotation(self.function.returns, self.frame.parent or self.frame)
            if declared.kind == "generator" and declared.items and declared.items[0].kind != "unknown":
                return declared.items[0]
        found = [self.types.of(y.value, self.frame) for y in yields]
        made = [union(t.items) if y.delegates and t.items else UNKNOWN if y.delegates else t for y, t in zip(yields, found, strict=True)]
        return union(tuple(made))

    def _left(self, run: ir.Block) -> float:
        """The price of the statements that stay and need the model's libraries, or the model."""
        inside = {s.at for s in flow.flatten(run)}
        return sum(HEAVY for s in self.judge.weight.around(self.scope) if s.stmt.at not in inside and self.judge.weight.heavy(s))

    def _explain(self, stmt: ir.Stmt) -> None:
        """Which part of the statement keeps the stream in the app."""
        loop = "loop that runs the model" if any(liveness.holds(stmt, c) for c in self.calls) else "statement before the stream"
        for inner in flow.flatten((stmt,)):
            where = Span(self.scope.file, *inner.at)
            for part in flow.own(inner):
                if isinstance(part, ir.Name) and any(self.judge.of_the_web(v) for v in self.judge.evaluator.name(part.id, self.frame)):
                    self.problems.append(NoCut(f"the {loop} reads {part.id}, an object of the web framework", where,
                                               f"read what is needed of {part.id} into plain variables before the stream"))  # fmt: skip
                    return
            if isinstance(inner, ir.Declare):
                self.problems.append(NoCut(f"{self.function.name} changes {', '.join(inner.names)}, which is not its own", where,
                                           "yield the value and let its reader keep it"))  # fmt: skip
                return
            step = self.judge.steps.get((self.scope, inner.at))
            calls = [(c, r) for c in step.calls for r in c.rules if isinstance(r, Effect)] if step is not None else []
            kinds = {r.kind for c, r in calls if step is not None and self.judge.outlives(step, c, r)}
            if told := next((LASTING[k] for k in sorted(kinds)), ""):
                self.problems.append(NoCut(f"the {loop} {told}", where, "do that before the stream, or after it"))
                return
        if (stays := self.judge.obstacle(stmt, self.frame, streams=True)) is not None:
            self.problems.append(stays)


def _refused(stuck: Crossing | None, web: Crossing | None, where: Span) -> NoCut:
    if web is not None:
        return NoCut(f"the stream reads {web.name}, an object of the web framework", where,
                     f"read what is needed of {web.name} into plain variables before the stream starts")  # fmt: skip
    if stuck is not None:
        return NoCut(f"{stuck.name}, an object, would have to cross between the app and the model, and it cannot be sent", where,
                     f"make {stuck.name} where the model runs, from plain values")  # fmt: skip
    return NoCut("the stream is made of nothing of the request", where, "pass its input as an argument")


def _name(yields: list[ir.Yield]) -> str:
    """What the program calls the values it yields."""
    names = {y.value.id if isinstance(y.value, ir.Name) and not y.delegates else "chunk" for y in yields}
    return names.pop() if len(names) == 1 else "chunk"
