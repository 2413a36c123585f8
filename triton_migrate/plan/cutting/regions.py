"""Takes one function on the way to the predict sites, gives the runs of statements that may leave it, each as a `Cut` with its cost.

A run grows from the statements that make the predict calls as far as statements may move; what of the statements below it needs the
model goes along as lifted expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.around.registries import alike
from triton_migrate.plan.cutting import liveness, rounds
from triton_migrate.plan.cutting.costs import EARLY, HEAVY, LIFTED, MOVED, ONE_BY_ONE, crossing_cost
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut
from triton_migrate.plan.cutting.exits import Exit, early, parted
from triton_migrate.plan.cutting.hoists import Hoists
from triton_migrate.plan.cutting.lifts import Below, Lifts
from triton_migrate.plan.leaving.files import Files, Use
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.leaving.unseen import Unseen
from triton_migrate.plan.rows import PredictCalls
from triton_migrate.plan.values.types import Types
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Container, Value

WHY = "what needs the model's libraries leaves the app together; parsing, status codes and formatting stay"
LATE = "this stays in the application, below a look-up of the model that may answer first: it may fail, too, and would come before that"


class Regions:
    """The runs of one function."""

    def __init__(
        self, judge: Judge, types: Types, predicts: PredictCalls, frame: Frame, calls: tuple[ir.Call, ...], depth: int,
        left: frozenset[ir.At] = frozenset(),
    ) -> None:  # fmt: skip
        self.left = left  # places of statements that leave with another cut
        self.judge, self.types, self.predicts = judge, types, predicts
        handed = types.threads.within(frame.scope.function, frame)
        self.frame, self.scope = frame, frame.scope
        self.calls = tuple(next((h.call for _, h in handed if id(c) in h.stands), c) for c in calls)
        self.function = liveness.substituted(frame.scope.function, {id(waits): h.call for waits, h in handed})
        self._refusals: list[NoCut | ir.Stmt] = []  # why runs were given up, the most telling first; a statement: what of it has to stay
        self.nearly: NoCut | None = None  # what alone keeps a look-up of the model from leaving with what it may answer
        self.depth = depth
        self.local, self.around = liveness.local_names(self.scope), liveness.names_around(self.scope)
        taken = self.local | flow.reads(self.function.body) | set(judge.evaluator.program.frames[self.scope.file].scope.bindings)
        self.files = Files(judge.evaluator)
        self.unseen = Unseen(judge.evaluator, types, self.files)
        self.hoists = Hoists(judge, types, frame, taken)
        self.lifts = Lifts(judge, types)
        self._movable: dict[tuple[int, ...], bool] = {}
        self._kinds: dict[tuple[str, ir.At], VType] = {}
        self._changes: dict[tuple[int, ...], set[str]] = {}
        self._synthetic: list[tuple[Exit, ...]] = []  # kept, so that no other statement gets the id of one of theirs
        self.loaded = judge.stand_ins((e for s in self.function.body for e in flow.every(s)), frame)
        self.registry = judge.registry
        every = (e for s in self.function.body for e in flow.every(s))
        self.inline = self.registry.inline(judge.evaluator, every, frame) if self.registry is not None else ()

    def cuts(self, predicts: PredictCalls) -> Iterator[Cut]:
        """The runs, for those of the predict sites below the calls that `predicts` is about."""
        rows = predicts.rows_at(self.depth, self.calls)
        for run in self._runs:
            stacked = bool(rows) and self._stacked(run, predicts, rows[0][1])
            cost = run.cost + (0 if stacked else ONE_BY_ONE)
            yield replace(run, sites=predicts.sites, rows=rows, stacked=stacked, cost=cost)

    @property
    def problems(self) -> Iterator[NoCut]:
        """Why runs were given up, the most telling first."""
        found = (r if isinstance(r, NoCut) else self.judge.obstacle(r, self.frame) for r in self._refusals)
        return (problem for problem in found if problem is not None)

    @cached_property
    def _runs(self) -> tuple[Cut, ...]:
        """The runs, whatever the predict sites below them."""
        return tuple(self._found())

    def _found(self) -> Iterator[Cut]:
        for block, low, high in self._homes():
            known, self._refusals = self._refusals, []
            yield from self._within(block, low, high)
            for answering, exits in self._answering(block, low, high):
                yield from self._within(answering, low, high, exits)
            self._refusals = [*known, *self._refusals]  # what the innermost block says is the most telling

    def _stacked(self, run: Cut, predicts: PredictCalls, leaf: ir.Expr) -> bool:
        """Whether rows of several requests can be stacked; `leaf` is what carries them."""
        held = set(run.receivers) | {n.id for e in (*self.loaded, *self.inline) for n in flow.names(e)}
        return (
            not run.exits
            and predicts.stackable(run.moved, self.calls[0], leaf, self.frame, self.local - held)
            and not any(self._beside(h, self.calls[0], leaf) for h in run.hoists)
        )

    def _homes(self) -> Iterator[tuple[ir.Block, int, int]]:
        """The blocks that hold all calls, the innermost first; not those inside a `with` that configures the model's run."""
        paths = [liveness.blocks_around(self.function.body, c.at) for c in self.calls]
        shared = [levels for levels in zip(*paths, strict=False) if len({id(block) for block, _ in levels}) == 1]
        inside = [i + 1 for i, levels in enumerate(shared) for b, n in levels[:1] if self.predicts.configures(b[n], self.frame)]
        for levels in reversed(shared[: min(inside, default=len(shared))]):
            yield levels[0][0], min(i for _, i in levels), max(i for _, i in levels)

    def _answering(self, block: ir.Block, low: int, high: int) -> Iterator[tuple[ir.Block, tuple[Exit, ...]]]:
        """The block with those of its statements that may answer early, if one of them asks for what the model's side looks up."""
        exits: dict[int, Exit] = {}
        for index in range(high, -1, -1):
            harmless = self.hoists.of(block[index], self.calls, frozenset(), False, fields=True)
            if self._may_move(block, index, ()) or self._may_move(block, index, harmless):
                continue
            if (made := self._exit(block[index], index)) is not None:
                exits[index] = made
            elif index < low:
                looking = (self._exit(stmt, number) for number, stmt in enumerate(block[:index]))
                if self.registry is None and any(e is not None and e.settles(self._is_receiver) for e in looking):
                    self._note_late(block[index].at)
                break
        if self.registry is not None or not any(e.settles(self._is_receiver) for e in exits.values()):
            return
        yield self._with(block, exits)
        last = early(block[high], high, lambda stmt: self.judge.ends(stmt, self.frame)) if low == high and high not in exits else None
        if last is not None and isinstance(last.stmt, ir.Try):
            body = last.stmt.body
            for count in range(1 + max(i for i, s in enumerate(body) if any(liveness.holds(s, c) for c in self.calls)), len(body)):
                part = parted(last, count)
                if not self.judge.movable(part.moved, self.frame):
                    break
                yield self._with((*block[: high + 1], *body[count:], *block[high + 1 :]), {**exits, high: part})

    def _exit(self, stmt: ir.Stmt, number: int) -> Exit | None:
        """The statement, if it may answer early and all else of it leaves."""
        made = early(stmt, number, lambda last: self.judge.ends(last, self.frame))
        return made if made is not None and self.judge.movable(made.moved, self.frame) else None

    def _note_late(self, at: ir.At) -> None:
        self.nearly = self.nearly or NoCut(LATE, Span(self.scope.file, *at), "do it above the look-up of the model")

    def _with(self, block: ir.Block, exits: dict[int, Exit]) -> tuple[ir.Block, tuple[Exit, ...]]:
        """The block with these statements as they are on the model's side."""
        numbered = {index: replace(exits[index], number=number) for number, index in enumerate(sorted(exits), 1)}
        made = tuple(numbered.values())
        self._synthetic.append(made)
        return tuple(numbered[i].moved if i in numbered else stmt for i, stmt in enumerate(block)), made

    def _is_receiver(self, name: str) -> bool:
        return self.judge.is_receiver(name, self.frame)

    def _within(self, block: ir.Block, low: int, high: int, exits: tuple[Exit, ...] = ()) -> Iterator[Cut]:
        first, last = low, low - 1
        while first > 0 and self._may_move(block, first - 1, self._hoists(block, first - 1, first - 1)):
            first -= 1
        for start in range(first, low + 1):
            hoists = self._hoists(block, start, high, exits)
            if not all(self._may_move(block, i, hoists) for i in range(start, low)):  # what is hoisted there only where the run starts
                continue
            last = low - 1
            while last + 1 < len(block) and self._may_move(block, last + 1, hoists):
                last += 1
            for end in range(low - 1, last + 1):
                inside = tuple(e for e in exits if any(s is e.moved for s in block[start : end + 1]))
                if exits and not any(e.settles(self._is_receiver) for e in inside):
                    continue
                if exits and exits[-1].parted and not (end == high and exits[-1] in inside):
                    continue
                if cut := self._region(block, start, end, hoists, inside):
                    yield cut
                    if any(c.type.kind == "unknown" for c in cut.outputs) and (
                        other := self._region(block, start, end, hoists, inside, eager=True)
                    ):
                        yield other
        if last < high:
            self._refusals.insert(0, block[last + 1])

    def _hoists(self, block: ir.Block, start: int, high: int, exits: tuple[Exit, ...] = ()) -> tuple[ir.Assign, ...]:
        """What the app evaluates before the run, out of the statements that make the predict calls and those above them.

        Below an exit it is what cannot fail: the app may never come to it.
        """
        answering = min((i for i in range(start, high + 1) if any(block[i] is e.moved for e in exits)), default=high)
        each = ((i, block[i], frozenset(flow.binds(block[start:i]))) for i in range(start, high + 1))
        return tuple(h for i, stmt, bound in each for h in self.hoists.of(stmt, self.calls, bound, i == start, fields=i > answering))

    def _may_move(self, block: ir.Block, index: int, hoists: tuple[ir.Assign, ...]) -> bool:
        stmt = block[index]
        if stmt.at in self.left:
            return False
        own = tuple(h for h in hoists if ir.holds(stmt.at, h.at))
        key = id(stmt), *map(id, own)
        if key not in self._movable:
            self._movable[key] = self.judge.movable(stmt, self.frame, self._ends(block, index), own)
        return self._movable[key]

    def _ends(self, block: ir.Block, index: int) -> bool:
        return index == len(block) - 1 and block[index] is self.function.body[-1]

    def _region(
        self, block: ir.Block, first: int, last: int, hoists: tuple[ir.Assign, ...], exits: tuple[Exit, ...] = (), eager: bool = False
    ) -> Cut | None:
        """The cut of a run; an `eager` one takes along what is made of results of unknown type, too (`str(label)`)."""
        run = block[first : last + 1]
        tail = bool(run) and self._ends(block, last) and isinstance(self._innermost(run[-1]), ir.Return)
        if not tail and any(isinstance(s, ir.Return) for s in flow.flatten(run)):
            return None
        if tail and any(isinstance(s, ir.Return) for s in flow.flatten(run[: liveness.index_of(run, self.calls)])):
            return None
        before = {p.name for p in self.function.parameters} | liveness.bound_before(self.function.body, block[first])
        lifts = self._lifts(block, last, run, before, hoists, eager)
        moved = (*run, *lifts) if lifts is not None else ()
        if kept := sorted(self.scope.nonlocals & flow.binds(moved)):
            where, told = Span(self.scope.file, *run[0].at), f"{kept[0]} is kept in the function around {self.scope.name}"
            self._refusals.append(NoCut(told, where, "keep it in a global of the module"))
            return None
        hoists = tuple(h for h in hoists if h.value is not None and any(liveness.holds(s, h.value) for s in moved))
        hoists = tuple(h for h in hoists if not any(h.value is p for e in self.inline for p in walk(e)))  # the app chooses as it did
        hoists = self.hoists.without_whole(hoists, flow.reads(liveness.without(moved, hoists)))
        if not all(any(liveness.holds(s, c) for s in moved) for c in self.calls):
            return None
        if self.judge.scratch.parted(self.scope, moved) or self.judge.filled.parted(self.scope, moved):
            return None
        if self.judge.answers.unknown(moved, self.scope) or (exits and not self._early(run, exits, hoists)):
            return None
        if self._changes_others(run, lifts or ()):
            return None
        given, receivers = self._inputs(moved, before, hoists)
        inputs = tuple(self._as_file(c, moved, hoists) for c in given)
        outputs = self._outputs(block, run, lifts or (), tail)
        streams = len(outputs) == 1 and outputs[0].type.kind == "stream"
        if streams and (exits or (tail and not isinstance(run[-1], ir.Return))):
            return None
        version = self._version(moved, before, receivers)
        if self.registry is not None and (version is None or streams):
            return None
        stuck = next((c for c in (inputs if streams else (*inputs, *outputs)) if c.type.travels is False), None)
        stuck = stuck or next((c for c in outputs if c.name in self.local and self.judge.is_receiver(c.name, self.frame)), None)
        if stuck is not None or not inputs or not outputs or not all(self._crosses(c, moved, hoists) for c in inputs):
            self._explain(stuck, moved, inputs, hoists)
            return None
        if (state := rounds.unknown_state(self.function, block, inputs)) is not None:
            where = Span(self.scope.file, *moved[0].at)
            told = f"each round of the loop that runs the model needs {state.name} of the round before, whose type is not known"
            fix = "yield the results in a generator of their own, and send them in a loop over it"
            self._refusals.append(NoCut(told, where, fix))
            return None
        paths = [c for c in inputs if c.type.kind == "path"]
        lost = self.judge.writes_files(self.scope, block[first]) and any(i.type.kind in ("str", "unknown") for i in inputs) and not paths
        if lost or not all((use := self._use(c, moved, hoists)).only and not use.read for c in paths):
            where = Span(self.scope.file, *moved[0].at)
            self._refusals.append(NoCut("a file that the request was saved to is read here, and the server has another disk", where,
                                       "pass the bytes of the file instead of its path"))  # fmt: skip
            return None
        cost = self._left(moved, lifts or ()) + HEAVY * sum(self._heavy(h, moved) for h in hoists) + crossing_cost((*inputs, *outputs))
        cost += MOVED * len(moved) + LIFTED * len(lifts or ()) + rounds.price(self.function, block, inputs) + EARLY * len(exits)
        return Cut("region", self.scope, self.frame, block, first, last, (), inputs, outputs, receivers, tail,
                   False, self.calls[0], (), cost, WHY, lifts or (), hoists, (), self.registry, version, exits)  # fmt: skip

    def _early(self, run: ir.Block, exits: tuple[Exit, ...], hoists: tuple[ir.Assign, ...]) -> bool:
        """Whether the app can answer at the exits as it did: it has what it reads there, and nothing that may fail comes before them
        which came after."""
        made = flow.binds(run) | liveness.written(run)
        below = exits[0].stmt.at[2:]
        late = (h.value for h in hoists if h.value is not None and h.at[:2] >= below)
        if any(e.needs(made) for e in exits):
            return False
        stuck = next((value for value in late if not self.hoists.harmless(value)), None)
        if stuck is not None:
            self._note_late(stuck.at)
        return stuck is None

    def _innermost(self, stmt: ir.Stmt) -> ir.Stmt:
        """The last statement, that of a `with torch.no_grad():` too."""
        while isinstance(stmt, ir.With) and self.predicts.configures(stmt, self.frame):
            stmt = stmt.body[-1]
        return stmt

    def _version(self, moved: ir.Block, before: set[str], receivers: tuple[str, ...]) -> ir.Expr | None:
        """What chooses the one version that the run asks for, where the app can evaluate it before the run."""
        if self.registry is None:
            return None
        evaluator = self.judge.evaluator
        names = [ir.Name(moved[0].at, n) for n in receivers if self.registry.holds(evaluator.name(n, self.frame))]
        inline = [e for e in self.inline if any(liveness.holds(s, e) for s in moved)]
        unknown = any({n.id for n in flow.names(e)} & self.local - before for e in inline)
        found = [*names, *inline]
        return found[0] if found and not unknown and all(alike(found[0], e) for e in found) else None

    def _heavy(self, hoist: ir.Assign, moved: ir.Block) -> bool:
        assert hoist.value is not None
        around = next(s for s in flow.flatten(self.function.body) if any(p is hoist.value for p in flow.own(s)))
        return self.judge.weight.part_heavy(hoist.value, around, self.frame)

    def _beside(self, hoist: ir.Assign, call: ir.Call, leaf: ir.Expr) -> bool:
        """Whether the call reads a value of this request apart from its rows."""
        return any(p is hoist.value for p in walk(call)) and not any(p is hoist.value for p in walk(leaf))

    def _lifts(
        self, block: ir.Block, last: int, run: ir.Block, before: set[str], hoists: tuple[ir.Assign, ...], eager: bool
    ) -> tuple[ir.Assign, ...] | None:
        bound = flow.binds(run)

        def stuck(name: str) -> bool:
            kind = self._kind(name, run[-1].at) if name in bound else None
            return kind is not None and (kind.travels is False or kind.kind == "buffer" or (eager and kind.kind == "unknown"))

        known = frozenset((bound | before) & self.local)
        missing = tuple(c for c in self.calls if not any(liveness.holds(s, c) for s in run))
        near = tuple(s for s in block[last + 1 :] if s.at not in self.left)
        rest = (*near, *(s for s in liveness.following(self.function.body, block) if s.at not in self.left))
        below = Below(self.frame, run, rest, len(near), known, frozenset(self.local), stuck, hoists)
        return self.lifts.of(below, missing)

    def _kind(self, name: str, done: ir.At) -> VType:
        """The type of a name once the statement there has run."""
        if (known := self._kinds.get((name, done))) is None:
            known = self._kinds[name, done] = self.types.name(name, self.frame, done=done)
        return known

    def _inputs(self, moved: ir.Block, before: set[str], hoists: tuple[ir.Assign, ...]) -> tuple[tuple[Crossing, ...], tuple[str, ...]]:
        """Live-ins: values that cross, and names of objects that are made anew on the model's side."""
        plain = liveness.substituted(
            liveness.without(moved, hoists), {id(e): ir.Constant(e.at, None) for e in (*self.loaded, *self.inline)}
        )
        known = (self.local & before) | self.around
        names = sorted(flow.exposed(plain) & known)
        receivers = tuple(n for n in names if self.judge.is_receiver(n, self.frame))
        hoisted = tuple(Crossing(liveness.lifted_name(h), self.types.of(h.value, self.frame)) for h in hoists)
        return (*(Crossing(n, self.types.name(n, self.frame, moved[0].at)) for n in names if n not in receivers), *hoisted), receivers

    def _as_file(self, crossing: Crossing, moved: ir.Block, hoists: tuple[ir.Assign, ...]) -> Crossing:
        """The path of a file of the app crosses as the file."""
        if crossing.type.kind not in ("str", "unknown", "data", "plain", "object"):
            return crossing
        start = moved[0].at[:2]
        before = tuple(s for s in flow.flatten(self.function.body) if s.at[2:] <= start)
        hoist = next((h.value for h in hoists if liveness.lifted_name(h) == crossing.name and h.value is not None), None)
        told = self.files.temporary(hoist, self.frame) if hoist is not None else self.files.written(crossing.name, before, self.frame)
        use = self._use(crossing, moved, hoists)
        return Crossing(crossing.name, VType("path")) if told or (use.opened and not use.read) else crossing

    def _use(self, crossing: Crossing, moved: ir.Block, hoists: tuple[ir.Assign, ...]) -> Use:
        """What the moved code does with a path or an open file."""
        hoist = next((h.value for h in hoists if liveness.lifted_name(h) == crossing.name), None)
        if hoist is None:
            return self.files.named(crossing.name, moved, self.frame)
        holder = next(s for s in flow.flatten(moved) if any(p is hoist for p in flow.own(s)))
        return self.files.of(hoist, holder, self.frame)

    def _outputs(self, block: ir.Block, run: ir.Block, lifts: tuple[ir.Assign, ...], tail: bool) -> tuple[Crossing, ...]:
        if tail:
            return (Crossing("result", self._returns(run)),)
        gone = {id(e.value): ir.Name(e.at, liveness.lifted_name(e)) for e in lifts}
        rest: ir.Block = liveness.substituted(self.function.body, gone)  # type: ignore[arg-type]
        names = sorted((flow.binds(run) | self._changed(run)) & liveness.read_after(rest, run)) if run else []
        kept = tuple(Crossing(n, self._kind(n, run[-1].at)) for n in names)
        return (*kept, *(Crossing(liveness.lifted_name(e), self.types.of(e.value, self.frame)) for e in lifts))

    def _crosses(self, crossing: Crossing, moved: ir.Block, hoists: tuple[ir.Assign, ...]) -> bool:
        """Objects of the web framework stay; an uploaded file crosses as its bytes where it is only read."""
        if crossing.type.kind == "file":
            return self._use(crossing, moved, hoists).only
        if any(liveness.lifted_name(h) == crossing.name for h in hoists):
            return True
        values = self.judge.evaluator.name(crossing.name, self.frame)
        if self.hoists.living.holds(crossing.name, self.frame):
            return False
        outer = crossing.name not in self.local
        return not any(
            self.judge.of_the_web(v) or self.judge.is_task(v) or (outer and self._shared(v)) or self._holds_object(v) for v in values
        )

    def _holds_object(self, value: Value) -> bool:
        """A tuple or list of this request that has a loaded model among its items (`name, model = chosen`)."""
        return isinstance(value, Container) and any(map(self.judge.is_object, self.judge.evaluator.element(value, None)))

    def _shared(self, value: Value) -> bool:
        """A container that other functions fill: state of the application, not data of the request."""
        if not isinstance(value, Container) or value.frame.scope is self.scope:
            return False
        return any(s.scope is not value.frame.scope for s in self.judge.evaluator.stores.element(value, None))

    def _explain(self, stuck: Crossing | None, moved: ir.Block, inputs: tuple[Crossing, ...], hoists: tuple[ir.Assign, ...]) -> None:
        where = Span(self.scope.file, *moved[0].at)
        web = next((c for c in inputs if not self._crosses(c, moved, hoists)), None)
        if stuck is not None:
            kind = {"tensor": "a tensor on the model's device"}.get(stuck.type.kind, "an object")
            self._refusals.append(NoCut(f"{stuck.name}, {kind}, would have to cross between the app and the model, and it cannot be sent",
                                       where, f"make a list, a number or an array of {stuck.name} beside the model call"))  # fmt: skip
        elif web is not None:
            told = f"the code around the model reads {web.name}, {self.judge.what_stays(web.name, self.frame)}"
            self._refusals.append(NoCut(told, where,
                                       f"read what is needed of {web.name} into plain variables first"))  # fmt: skip
        elif not inputs:
            self._refusals.append(NoCut("the model runs on nothing of the request", where, "pass its input as an argument"))

    def _changed(self, run: ir.Block) -> set[str]:
        """Local objects of the app that the run changes in place: they come back."""
        key = tuple(map(id, run))
        if (known := self._changes.get(key)) is None:
            bound = flow.binds(run)
            changed = ((liveness.written(run) - bound) & self.local) | self.unseen.changed(run, self.local - bound, self.frame)
            known = self._changes[key] = {n for n in changed if not self.judge.is_receiver(n, self.frame)}
        return known

    def _changes_others(self, run: ir.Block, lifts: tuple[ir.Assign, ...]) -> bool:
        """Whether what leaves changes an object of the caller's, or one that what stays of a statement goes on with."""
        handed = self._changed(run) & {p.name for p in self.function.parameters} if self.depth else set()
        if any(liveness.fills(run, n) for n in handed):
            return True
        out_of_sight = self.unseen.changed(run, handed, self.frame)
        return any(self.unseen.seen(n, run, self.frame) for n in out_of_sight) or self.unseen.below(lifts, self.local, self.frame)

    def _returns(self, run: ir.Block) -> VType:
        if self.function.returns is not None:
            declared = self.types.declared.annotation(self.function.returns, self.frame.parent or self.frame)
            if declared.kind != "unknown":
                return declared
        found = {self.types.of(s.value, self.frame) for s in flow.flatten(run) if isinstance(s, ir.Return)}
        return found.pop() if len(found) == 1 else VType("unknown")

    def _left(self, moved: ir.Block, lifts: tuple[ir.Assign, ...]) -> float:
        """The price of the statements that stay and need the model's libraries, or the model."""
        inside = {s.at for s in flow.flatten(moved)} | self.left
        parts = frozenset(id(p) for s in lifts if s.value is not None for p in walk(s.value))
        return sum(HEAVY for s in self.judge.weight.around(self.scope) if s.stmt.at not in inside and self.judge.weight.heavy(s, parts))
