"""Takes one unit of a pipeline, gives the `Cut` that serves it as a model of its own, and by what two units are the same model.

The body of a stage function that runs a model is cut at its predict call, so that requests of all pipelines are stacked there. Any other
unit is the application's own statement moved, the functions it calls with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.cut import Crossing, Cut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.rows import Rows, frame_at
from triton_migrate.plan.staged.units import Unit
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.trace.records import PredictSite

Values = dict[str, VType]  # by the names of the driver


@dataclass(frozen=True, slots=True)
class StageCut:
    """`given` and `made`: what the unit reads and what is needed of it; `receivers`: names of objects to be made anew."""

    evaluator: Evaluator
    cutter: Cutter
    whole: Cut
    unit: Unit
    given: Values
    made: Values
    receivers: tuple[str, ...]

    def cut(self) -> tuple[Cut, Cutter, tuple[str, ...], tuple[str, ...]]:
        """-> the cut, its cutter, and which values of the driver its inputs and outputs are, in their order."""
        return self._function() or self._statements()

    # ------------------------------------------------------------ the statement, moved

    def _statements(self) -> tuple[Cut, Cutter, tuple[str, ...], tuple[str, ...]]:
        whole, unit = self.whole, self.unit
        cutter = self._own()
        first = next((i for i, s in enumerate(whole.block) if unit.run and s is unit.run[0]), whole.first)
        tail = whole.tail and bool(unit.run) and unit.run[-1] is whole.run[-1]
        call, stacked = whole.call, False
        rows: Rows = ()
        if unit.sites:
            depth = _depth(unit.sites[0], whole)
            found = self._stacked(cutter, whole.frame, depth, unit.moved, set(self.receivers))
            call, rows, stacked = found if found is not None else (_calls(unit.sites, depth)[0], (), False)
            stacked = stacked and not any(p is h.value for h in unit.hoists for p in flow.walk(call) if not _inside(p, rows))
        given, made = self._ordered()
        cut = Cut(
            "region", whole.scope, whole.frame, whole.block, first, first + len(unit.run) - 1, unit.sites,
            tuple(Crossing(n, self.given[n]) for n in given), tuple(Crossing(n, self.made[n]) for n in made), self.receivers, tail, stacked,
            call, rows, 0.0, self._why(), unit.lifts, unit.hoists,
        )  # fmt: skip
        return cut, cutter, given, made

    def _ordered(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Values in the order of the text, so that calls of one function with other variables are alike."""
        moved = liveness.without(self.unit.moved, self.unit.hoists)
        read = [n.id for s in moved for e in flow.every(s) for n in flow.names(e)]
        bound = [n.id for s in self.unit.moved if isinstance(s, ir.Assign) for t in s.targets for n in flow.names(t)]
        given = sorted(self.given, key=lambda n: (read.index(n) if n in read else len(read), n))
        return tuple(given), tuple(sorted(self.made, key=lambda n: (bound.index(n) if n in bound else len(bound), n)))

    # ------------------------------------------------------------ the stage function's body

    def _function(self) -> tuple[Cut, Cutter, tuple[str, ...], tuple[str, ...]] | None:
        """Where the function runs one model on rows that can be stacked, and ends with its only return."""
        unit, callee = self.unit, self.unit.callee
        if callee is None or unit.call is None or len(unit.sites) != 1 or len(unit.moved) != 1:
            return None
        function, cutter = callee.function, self._own()
        depth = _depth(unit.sites[0], self.whole) + 1
        frame = frame_at(unit.sites[0], depth)
        returns, passed = self._returns(), self._passed(cutter, frame)
        if frame.scope is not callee or passed is None or len(returns) != 1 or returns[0] is not self._last(cutter, frame):
            return None
        names = self._results()
        start, end = int(function.docstring), len(function.body) - 1
        run = function.body[start : end + 1]
        if names is None or not all(self._movable(s) for s in run):
            return None
        parameters, receivers = passed
        found = self._stacked(cutter, frame, depth, run, set(receivers))
        if found is None or not found[2]:
            return None
        made = tuple(self._targets())
        inputs = tuple(Crossing(p, self.given[n]) for p, n in parameters.items())
        outputs = tuple(Crossing(n, self.made[v]) for n, v in zip(names, made, strict=True))
        call, rows, _ = found
        body, why = function.body, self._why()
        cut = Cut("region", callee, frame, body, start, end, unit.sites, inputs, outputs, receivers, True, True, call, rows, 0.0, why)
        return cut, cutter, tuple(parameters.values()), made

    def _passed(self, cutter: Cutter, frame: Frame) -> tuple[dict[str, str], tuple[str, ...]] | None:
        """Parameters with the driver's names for what they are given, and those that are objects; None where an argument is no name."""
        function, call = frame.scope.function, self.unit.call
        assert call is not None
        parameters = [p.name for p in function.parameters if not p.kind.startswith("*")]
        used = flow.exposed(function.body) & set(parameters)
        receivers = tuple(sorted(n for n in used if cutter.judge.is_receiver(n, frame)))
        hoisted = {id(h.value): liveness.lifted_name(h) for h in self.unit.hoists}
        positional = parameters[1:] if frame.scope.owner is not None else parameters
        if len(call.args) > len(positional) or any(k is None for k, _ in call.keywords):
            return None
        given = {**dict(zip(positional, call.args, strict=False)), **{k: v for k, v in call.keywords if k is not None}}
        found: dict[str, str] = {}
        for name in (n for n in parameters if n in used and n not in receivers):
            argument = given.get(name)
            spelled = hoisted.get(id(argument)) or (argument.id if isinstance(argument, ir.Name) else None)
            if spelled is None or spelled not in self.given or spelled in found.values():
                return None
            found[name] = spelled
        return (found, receivers) if set(found.values()) == set(self.given) else None

    def _results(self) -> tuple[str, ...] | None:
        """The names of the results; None where the driver takes apart what the function does not put together in its return."""
        targets = self._targets()
        if set(targets) != set(self.made):
            return None
        if not self._unpacks():
            return ("result",) if len(targets) == 1 else None
        (last,) = self._returns()
        spelled = isinstance(last.value, ir.Sequence) and len(last.value.items) == len(targets)
        return tuple(targets) if spelled else None

    def _returns(self) -> list[ir.Return]:
        assert self.unit.callee is not None
        return [s for s in flow.flatten(self.unit.callee.function.body) if isinstance(s, ir.Return)]

    def _last(self, cutter: Cutter, frame: Frame) -> ir.Stmt:
        """The last statement, that of a `with torch.no_grad():` too."""
        last = frame.scope.function.body[-1]
        while isinstance(last, ir.With) and cutter.predicts.configures(last, frame):
            last = last.body[-1]
        return last

    def _targets(self) -> list[str]:
        """What the driver calls the results, all of them."""
        stmt = self.unit.moved[0]
        if not isinstance(stmt, ir.Assign):
            return list(self.made)
        target = stmt.targets[0]
        return [n.id for n in (target.items if isinstance(target, ir.Sequence) else (target,)) if isinstance(n, ir.Name)]

    def _unpacks(self) -> bool:
        stmt = self.unit.moved[0]
        return isinstance(stmt, ir.Assign) and isinstance(stmt.targets[0], ir.Sequence)

    @staticmethod
    def _movable(stmt: ir.Stmt) -> bool:
        inner = tuple(flow.flatten((stmt,)))
        return not any(isinstance(s, (ir.Declare, ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom)) for s in inner)

    # ------------------------------------------------------------ both

    def _stacked(self, cutter: Cutter, frame: Frame, depth: int, moved: ir.Block, held: set[str]) -> tuple[ir.Call, Rows, bool] | None:
        """The call that runs the model, its rows, and whether rows of several requests can be stacked."""
        calls = _calls(self.unit.sites, depth)
        rows = cutter.predicts.rows_at(depth, calls)
        if not rows or any(isinstance(s, ir.Return) for s in flow.flatten(moved[: liveness.index_of(moved, calls)])):
            return None
        loaded = cutter.judge.stand_ins((e for s in moved for e in flow.every(s)), frame)
        held = held | {n.id for e in loaded for n in flow.names(e)}
        local = liveness.local_names(frame.scope) - held
        return calls[0], rows, cutter.predicts.stackable(moved, calls[0], rows[0][1], frame, local)

    def _own(self) -> Cutter:
        if not self.unit.sites:
            return self.cutter
        part = replace(self.cutter.pipeline, sites=self.unit.sites)
        return Cutter(self.evaluator, part, self.cutter.live, answers=self.cutter.types.answers)

    def _why(self) -> str:
        unit = self.unit
        if unit.callee is not None and unit.call is not None:
            place = Span(unit.callee.file, *unit.callee.function.at).place
            told = f"the stage {unit.callee.name} ({place})"
        else:
            told = f"the stage at {self.whole.scope.file}:{unit.moved[0].at[0]}"
        return f"{told}; one model and no more stages: {unit.why}" if unit.why else told


def _inside(part: ir.Expr, rows: Rows) -> bool:
    return any(part is p for _, leaf in rows for p in flow.walk(leaf))


def _depth(site: PredictSite, cut: Cut) -> int:
    return next(d for d in range(len(site.chain) + 1) if frame_at(site, d).scope is cut.scope)


def _calls(sites: tuple[PredictSite, ...], depth: int) -> tuple[ir.Call, ...]:
    calls = {c.at: c for c in (s.chain[depth][0] if depth < len(s.chain) else s.call for s in sites)}
    return tuple(calls.values())


def key(unit: Unit, cut: Cut, cutter: Cutter) -> object:
    """Equal for units that do the same: one call of one function, whatever the variables are called, and nothing with what it gives."""
    if unit.call is None or unit.callee is None or unit.why or len(unit.moved) != 1 or not _only_calls(unit.moved[0], unit.call):
        statements = unit.moved
        return (cut.scope, statements[0].at, statements[-1].at)
    numbers: dict[str, int] = {}
    hoisted = {id(h.value): liveness.lifted_name(h) for h in unit.hoists}
    local = liveness.local_names(cut.scope)

    def shape(expr: object) -> Iterator[object]:
        if id(expr) in hoisted:
            yield numbers.setdefault(hoisted[id(expr)], len(numbers))
        elif isinstance(expr, ir.Name) and cutter.judge.is_receiver(expr.id, cut.frame):
            yield cutter.evaluator.name(expr.id, cut.frame)
        elif isinstance(expr, ir.Name):
            yield numbers.setdefault(expr.id, len(numbers)) if expr.id in local else (cut.scope.file, expr.id)
        elif isinstance(expr, tuple):
            yield type(expr).__name__
            for part in expr[1:] if hasattr(expr, "_fields") else expr:
                yield from shape(part)
        else:
            yield expr

    held = cutter.evaluator.values(unit.call.func.value, cut.frame) if isinstance(unit.call.func, ir.Attribute) else None
    return (unit.callee, held, tuple(shape(unit.call.args)), tuple(shape(unit.call.keywords)))


def _only_calls(stmt: ir.Stmt, call: ir.Call) -> bool:
    """Whether the statement keeps what the call gives as it is: `best = ranked(logits)[0]` does more."""
    value = stmt.value if isinstance(stmt, (ir.Assign, ir.Evaluate, ir.Return)) else None
    return (value.value if isinstance(value, ir.Await) else value) is call and not (isinstance(stmt, ir.Assign) and stmt.augmented)
