"""Takes a pipeline, gives the `Cut`: which expression or run of statements leaves the app, and which values cross.

Two kinds are weighed against each other at every level of the call chain from the handler to the predict site: only the predict
call, or a run of statements around it. What costs: values whose type is not known, statements that keep a model library in the app,
values that cannot travel (illegal), statements moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.judge import Judge
from triton_migrate.plan.types import Types, VType, parse
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import (
    ModelConfigure,
)
from triton_migrate.trace.records import Pipeline, PredictSite

READS = frozenset({"read", "seek", "tell", "readline", "readlines"})
UNTYPED, UNSURE, TENSOR, HEAVY, MOVED, ONE_BY_ONE, IMAGE = 4.0, 30.0, 1.0, 100.0, 0.6, 25.0, 8.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """One value that crosses the cut, by the user's name for it."""

    name: str
    type: VType


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Where one pipeline is cut.

    `block[first : last + 1]` leaves the function at `scope`; for `kind` "model" only the predict calls in it do. `sites` are the
    predict calls inside. `tail`: the run ends with the function, its value is what the function returns. `stacked`: the predict call
    is row-independent and reached without control flow, so that rows of several requests can be stacked.
    """

    kind: str  # model | region
    scope: Scope
    frame: Frame
    block: ir.Block
    first: int
    last: int
    sites: tuple[PredictSite, ...]
    inputs: tuple[Crossing, ...]
    outputs: tuple[Crossing, ...]
    receivers: tuple[str, ...]  # live-ins that are objects to be made on the model's side (`self`, a loaded model)
    tail: bool
    stacked: bool
    call: ir.Call  # the call, in this function, that runs the model: the predict call, or one of a function that only makes it
    rows: tuple[tuple[VType, ir.Expr], ...]  # the arguments of that call that carry rows
    cost: float
    why: str

    @property
    def statements(self) -> ir.Block:
        return self.block[self.first : self.last + 1]

    @property
    def span(self) -> Span:
        one, two = self.statements[0].at, self.statements[-1].at
        return Span(self.scope.file, one[0], one[1], two[2], two[3])


@dataclass(frozen=True, slots=True)
class NoCut:
    """Why a pipeline cannot be cut, where, and the smallest edit that would unblock it."""

    reason: str
    span: Span
    fix: str


class Cutter:
    """Chooses the cut of one pipeline."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline) -> None:
        self.evaluator, self.rulebook, self.pipeline = evaluator, evaluator.rulebook, pipeline
        callers = {}
        for site in pipeline.sites:
            scopes = [f.scope for _, f in site.chain[1:]] + [site.scope]
            callers.update(dict(zip(scopes, site.chain, strict=False)))
        self.types = Types(evaluator, callers)
        self.judge = Judge(evaluator, pipeline, self.types)
        self.problems: list[NoCut] = []

    def choose(self) -> tuple[Cut, ...] | NoCut:
        """The cheapest legal way: one run of statements, or the predict calls, one cut per model."""
        found: list[tuple[Cut, ...]] = [(c,) for level in self._levels() for c in self._region_cuts(*level)]
        if calls := self._model_cuts():
            found.insert(0, calls)
        if found:
            return min(found, key=lambda cuts: sum(c.cost for c in cuts))
        site = self.pipeline.sites[0]
        fallback = NoCut("no run of statements around the model can leave the function", site.span, "move the model call and the code "
                         "around it into a function of plain arguments and results")  # fmt: skip
        return self.problems[0] if self.problems else fallback

    # ------------------------------------------------------------ levels

    def _levels(self) -> Iterator[tuple[int, Frame, tuple[ir.Call, ...]]]:
        """Functions that all predict sites are reached through, innermost first, with the calls in them that lead there."""
        sites = self.pipeline.sites
        deepest = min(len(s.chain) for s in sites)
        for depth in range(deepest, -1, -1):
            frames = {_frame_at(s, depth) for s in sites}
            if len({f.scope for f in frames}) == 1:
                calls = {id(c): c for c in (s.chain[depth][0] if depth < len(s.chain) else s.call for s in sites)}
                yield depth, next(iter(frames)), tuple(calls.values())

    # ------------------------------------------------------------ only the predict call

    def _model_cuts(self) -> tuple[Cut, ...]:
        """A cut per model, of its predict calls only; empty when some call cannot be taken alone."""
        groups: dict[object, list[PredictSite]] = {}
        for site in self.pipeline.sites:
            groups.setdefault((site.scope, site.models), []).append(site)
        cuts = [self._model_cut(tuple(sites)) for sites in groups.values()]
        return tuple(c for c in cuts if c is not None) if all(cuts) else ()

    def _model_cut(self, sites: tuple[PredictSite, ...]) -> Cut | None:
        scope, frame = sites[0].scope, sites[0].frame
        if any(s.rule.fused or len(s.models) != 1 or not self._plain_receiver(s) for s in sites):
            return None
        inputs, outputs = [], []
        for site in sites:
            rows = self.rows(site) or ()
            result = self.types.of(site.call, site.frame)
            if len(rows) != 1 or not rows[0][0].travels or result.travels is False or result.kind == "tensor":
                return None
            if any(self.judge.uses_loaded(p, site.frame) for p in walk(rows[0][1])):
                return None  # the rows are made by something loaded: it goes with the model
            inputs.append(Crossing("", rows[0][0]))
            rowwise = site.rule.row_independent and result.kind == "array" and result.rank > 1
            outputs.append(Crossing(_method(site), replace(result, one_row=True) if rowwise and rows[0][0].one_row else result))
        if len({(i.type.kind, i.type.dtype, i.type.rank, i.type.one_row) for i in inputs}) > 1:
            return None
        block, index = find_block(scope.function.body, sites[0].call)
        heavy = sum(HEAVY for s in self.judge.around(scope) if self.judge.heavy(s) and not s.predicts)
        cost = heavy + self._crossing_cost((inputs[0], *outputs))
        stacked = all(s.rule.row_independent and self._sliceable(s, inputs[0].type) for s in sites)
        return Cut("model", scope, frame, block, index, index, sites, (inputs[0],), tuple(outputs), (), False,
                   stacked, sites[0].call, self.rows(sites[0]) or (), cost,
                   "parsing and formatting need nothing of the model: only the predict call leaves the app")  # fmt: skip

    def _plain_receiver(self, site: PredictSite) -> bool:
        """`model.predict(...)` whose receiver and other arguments read nothing of the request."""
        if not isinstance(site.call.func, ir.Attribute):
            return False
        rows = {id(n) for _, e in self.rows(site) or () for n in flow.names(e)}
        function = site.scope.function
        local = {p.name for p in function.parameters} | flow.binds(function.body)
        others = [n for n in flow.names(site.call) if id(n) not in rows and n.id in local]
        root = next(flow.names(site.call.func.value), None)
        return all(n is root for n in others)

    def rows(self, site: PredictSite) -> tuple[tuple[VType, ir.Expr], ...] | None:
        """The arguments that carry rows, with their types; None when the call is written in a way we cannot take apart."""
        if any(isinstance(a, ir.Starred) for a in site.call.args):
            return None
        if site.rule.rows in ("*", ""):
            exprs = [*site.call.args, *(v for k, v in site.call.keywords)]
            if any(k is None for k, _ in site.call.keywords):
                return None
        else:
            exprs = [e for p in site.rule.rows.split(",") if (e := port(site.call, p.strip())) is not None]
        exprs = [v for e in exprs for v in (e.values if isinstance(e, ir.Mapping) else (e,))]
        exprs = [e for e in exprs if not isinstance(e, ir.Constant)]
        return tuple((self.types.of(e, site.frame), e) for e in exprs) or None

    # ------------------------------------------------------------ a run of statements

    def _region_cuts(self, depth: int, frame: Frame, calls: tuple[ir.Call, ...]) -> Iterator[Cut]:
        scope = frame.scope
        function = scope.function
        if function.is_generator:
            self.problems.append(
                NoCut(
                    f"{function.name} yields its results",
                    Span(scope.file, *function.at),
                    "return the result, or wait for streaming support",
                )
            )
            return
        homes = [find_block(function.body, c) for c in calls]
        if any(b is None for b, _ in homes) or len({id(b) for b, _ in homes}) > 1:
            homes = [find_block(function.body, c, outermost=True) for c in calls]
        block = homes[0][0]
        low, high = min(i for _, i in homes), max(i for _, i in homes)
        rows = self._rows_at(depth, calls)
        if not all(self.judge.movable(s, frame) for s in block[low : high + 1]):
            return
        first, last = low, high
        while first > 0 and self.judge.movable(block[first - 1], frame):
            first -= 1
        while last + 1 < len(block) and self.judge.movable(block[last + 1], frame, last + 1 == len(block) - 1 and block is function.body):
            last += 1
        for start in range(first, low + 1):
            for end in range(high, last + 1):
                cut = self._region(frame, block, start, end, calls, rows)
                if cut is not None:
                    yield cut

    def _region(
        self, frame: Frame, block: ir.Block, first: int, last: int, calls: tuple[ir.Call, ...], rows: tuple[tuple[VType, ir.Expr], ...]
    ) -> Cut | None:
        scope = frame.scope
        function, run = scope.function, block[first : last + 1]
        tail = block is function.body and last == len(block) - 1 and isinstance(run[-1], ir.Return)
        if not tail and any(isinstance(s, ir.Return) for s in flow.flatten(run)):
            return None
        if tail and any(isinstance(s, ir.Return) for s in flow.flatten(run[: _model_index(run, calls)])):
            return None
        local = {p.name for p in function.parameters} | flow.binds(function.body)
        local -= {n for s in flow.flatten(function.body) if isinstance(s, ir.Declare) for n in s.names}
        before = {p.name for p in function.parameters} | _bound_before(function.body, run[0])
        live_in = sorted((flow.reads(run) & local & before) - _bound_first(run))
        live_out = sorted(flow.binds(run) & _read_after(function.body, run)) if not tail else []
        inputs, receivers = [], []
        for name in live_in:
            kind = self.types.name(name, frame)
            if self.judge.is_receiver(name, frame):
                receivers.append(name)
            elif kind.travels is False or not self._crosses(name, kind, frame, run):
                return None
            else:
                inputs.append(Crossing(name, kind))
        if tail:
            outputs: tuple[Crossing, ...] = (Crossing("result", self._returns(scope, frame, run)),)
        else:
            outputs = tuple(Crossing(n, self.types.name(n, frame)) for n in live_out)
        if not inputs or not outputs or any(o.type.travels is False for o in outputs):
            return None
        if self.judge.writes_files(scope, run[0]) and any(i.type.kind in ("str", "unknown") for i in inputs):
            where = Span(scope.file, *run[0].at)
            self.problems.append(
                NoCut("a file that the request was saved to is read here, and the server has another disk", where, "pass the bytes")
            )
            return None
        stacked = bool(rows) and self._stackable(run, calls[0], rows[0][1], frame, local - set(receivers))
        inside = {(scope, s.at) for s in flow.flatten(run)}
        heavy = sum(HEAVY for s in self.judge.around(scope) if (s.scope, s.stmt.at) not in inside and self.judge.heavy(s))
        cost = heavy + self._crossing_cost((*inputs, *outputs)) + MOVED * len(run) + (0 if stacked else ONE_BY_ONE)
        why = "what needs the model's libraries leaves the app together; parsing, status codes and formatting stay"
        return Cut("region", scope, frame, block, first, last, tuple(self.pipeline.sites), tuple(inputs), outputs, tuple(receivers), tail,
                   stacked, calls[0], rows, cost, why)  # fmt: skip

    def _crosses(self, name: str, kind: VType, frame: Frame, run: ir.Block) -> bool:
        """Objects of the web framework stay; an uploaded file crosses as its bytes where it is only read."""
        if kind.kind != "file":
            return not any(self.judge.of_the_web(v) for v in self.evaluator.name(name, frame))
        uses = [
            e for s in run for e in flow.every(s) if isinstance(e, ir.Attribute) and isinstance(e.value, ir.Name) and e.value.id == name
        ]
        return all(u.attr in READS for u in uses)

    def _returns(self, scope: Scope, frame: Frame, run: ir.Block) -> VType:
        function = scope.function
        if function.returns is not None:
            declared = self.types.annotation(function.returns, frame.parent or frame)
            if declared.kind != "unknown":
                return declared
        found = {self.types.of(s.value, frame) for s in flow.flatten(run) if isinstance(s, ir.Return)}
        return found.pop() if len(found) == 1 else VType("unknown")

    def _rows_at(self, depth: int, calls: tuple[ir.Call, ...]) -> tuple[tuple[VType, ir.Expr], ...]:
        """The rows of the call at this level: of the predict call itself, or of a call to functions that only make it."""
        if len(self.pipeline.sites) != 1 or len(calls) != 1:
            return ()
        (site,) = self.pipeline.sites
        rows = self.rows(site) or ()
        if not site.rule.row_independent or len(rows) != 1 or not self._sliceable(site, rows[0][0]):
            return ()
        inner, (_, leaf) = site.call, rows[0]
        for level in range(len(site.chain) - 1, depth - 1, -1):
            call = site.chain[level][0]
            function = _frame_at(site, level + 1).scope.function
            parameters = function.parameters[1:] if _frame_at(site, level + 1).scope.owner is not None else function.parameters
            given = argument_map(parameters, call)
            if not self._only_makes(function, inner, site) or not isinstance(leaf, ir.Name) or leaf.id not in given:
                return ()
            inner, leaf = call, given[leaf.id]
        return ((self.types.of(leaf, _frame_at(site, depth)), leaf),)

    def _only_makes(self, function: ir.Function, call: ir.Call, site: PredictSite) -> bool:
        """Whether a function does nothing but return this call (with gradients off, say)."""
        body = tuple(s for s in function.body if not (isinstance(s, ir.Evaluate) and isinstance(s.value, ir.Constant)))
        while len(body) == 1 and isinstance(body[0], ir.With) and self._only_configures(body[0], site.frame):
            body = body[0].body
        return len(body) == 1 and isinstance(body[0], ir.Return) and body[0].value is call and not function.is_async

    def _sliceable(self, site: PredictSite, rows: VType) -> bool:
        """Whether the result can be cut by rows: an array or tensor; or a list of those, when a request has one row."""
        result = parse(site.rule.result).kind
        return rows.kind in ("array", "tensor", "list", "frame", "unknown") and (
            result in ("array", "tensor") or (result == "list" and not site.rule.fused and rows.one_row)
        )

    def _stackable(self, run: ir.Block, call: ir.Call, leaf: ir.Expr, frame: Frame, local: set[str]) -> bool:
        """One statement makes the call, not under a loop or a branch, and the call reads nothing else of this request."""
        stmt: ir.Stmt | None = run[_model_index(run, (call,))]
        while isinstance(stmt, ir.With):
            if not self._only_configures(stmt, frame):
                return False
            stmt = next((s for s in stmt.body if _holds(s, call)), None)
        inside = {id(n) for n in flow.names(leaf)}
        others = {n.id for n in flow.names(call) if id(n) not in inside} & local
        return isinstance(stmt, (ir.Assign, ir.Return, ir.Evaluate)) and _evaluated_once(stmt, call) and not others

    def _only_configures(self, stmt: ir.With, frame: Frame) -> bool:
        return all(
            target is None and any(self.rulebook.find(a.path.removesuffix("()"), ModelConfigure) for a in self.evaluator.apis(expr, frame))
            for expr, target in stmt.items
        )

    # ------------------------------------------------------------ costs

    def _crossing_cost(self, crossings: tuple[Crossing, ...]) -> float:
        return sum(
            TENSOR
            + (
                IMAGE
                if c.type.kind == "image"
                else UNSURE
                if c.type.travels is None and c.type.kind == "unknown"
                else UNTYPED
                if not typed(c.type)
                else 0
            )
            for c in crossings
        )


def typed(kind: VType) -> bool:
    """Whether the value becomes a tensor of its own dtype rather than JSON."""
    if kind.kind in ("str", "bytes", "int", "float", "bool", "image", "file"):
        return True
    return kind.kind == "array" and kind.dtype in NUMPY_TO_TRITON and kind.rank > 0


NUMPY_TO_TRITON = {
    "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16",
    "uint32": "UINT32", "uint64": "UINT64", "float16": "FP16", "float32": "FP32", "float64": "FP64",
}  # fmt: skip


def _method(site: PredictSite) -> str:
    return site.call.func.attr if isinstance(site.call.func, ir.Attribute) else "output"


def _frame_at(site: PredictSite, depth: int) -> Frame:
    return site.chain[depth][1] if depth < len(site.chain) else site.frame


def _holds(stmt: ir.Stmt, call: ir.Call) -> bool:
    return any(part is call for inner in flow.flatten((stmt,)) for e in flow.expressions(inner) for part in walk(e))


def _evaluated_once(stmt: ir.Stmt, call: ir.Call) -> bool:
    """The call stands in its statement where it runs exactly once: not in a comprehension, lambda or conditional."""
    for expr in flow.expressions(stmt):
        for part in walk(expr):
            if isinstance(part, (ir.Comprehension, ir.Lambda, ir.Conditional)) and any(p is call for p in walk(part)):
                return False
    return True


def _model_index(run: ir.Block, calls: tuple[ir.Call, ...]) -> int:
    return next((i for i, s in enumerate(run) if any(_holds(s, c) for c in calls)), 0)


def find_block(body: ir.Block, call: ir.Call, outermost: bool = False) -> tuple[ir.Block, int]:
    """The block and position of the statement that holds `call`: the innermost one, but never inside a plain `with`."""
    for i, stmt in enumerate(body):
        if any(part is call for e in flow.expressions(stmt) for part in walk(e)):
            return body, i
        for inner in flow.blocks(stmt):
            if any(_holds(s, call) for s in inner):
                return (body, i) if outermost or isinstance(stmt, ir.With) else find_block(inner, call)
    return body, 0


def _bound_before(body: ir.Block, stmt: ir.Stmt) -> set[str]:
    """Names that may be bound when `stmt` starts: by statements above it, and by everything in a loop around it."""
    found: set[str] = set()
    for other in flow.flatten(body):
        if other.at[:2] < stmt.at[:2]:
            found |= flow.binds((other,)) if other.at[2:] <= stmt.at[:2] else _head_binds(other)
        if isinstance(other, (ir.For, ir.While)) and other.at[:2] <= stmt.at[:2] and stmt.at[2:] <= other.at[2:]:
            found |= flow.binds((other,))
    return found


def _head_binds(stmt: ir.Stmt) -> set[str]:
    match stmt:
        case ir.For(at, target, iterable, _, _):
            return flow.binds((ir.For(at, target, iterable, (), ()),))
        case ir.With(at, items, _):
            return flow.binds((ir.With(at, items, ()),))
        case ir.Try(_, _, handlers, _, _):
            return {h.name for h in handlers if h.name}
    return set()


def _bound_first(run: ir.Block) -> set[str]:
    """Names that the run certainly binds before it reads them."""
    bound: set[str] = set()
    seen: set[str] = set()
    for stmt in run:
        seen |= flow.reads((stmt,)) - bound
        if isinstance(stmt, (ir.Assign, ir.With)):
            bound |= flow.binds((stmt,)) - seen
    return bound


def _read_after(body: ir.Block, run: ir.Block) -> set[str]:
    """Names that may be read once the run is over: by statements below it, and by a loop around it."""
    end, start = run[-1].at[2:], run[0].at[:2]
    found: set[str] = set()
    for stmt in flow.flatten(body):
        if stmt.at[:2] >= end:
            found |= flow.reads((stmt,))
        if isinstance(stmt, (ir.For, ir.While)) and stmt.at[:2] <= start and end <= stmt.at[2:]:
            found |= flow.reads((stmt,))
    return found
