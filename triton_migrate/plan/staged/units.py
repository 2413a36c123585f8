"""Takes a region cut of a pipeline, gives its `Unit`s: the pieces that can be stages of an ensemble, in the order they run.

A call of a stage function is a unit of its own, also where it stands inside another call (`classify(embed(x))`). Statements that only
convert or log go with a neighbour. What an ensemble cannot express (a loop, a branch or an early exit around a stage) stays one unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.cutting.hoists import always
from triton_migrate.plan.cutting.liveness import lift, lifted_name, path_to
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace.records import Pipeline, PredictSite

KINDS = {ir.For: "a loop", ir.While: "a loop", ir.If: "a branch", ir.Match: "a branch", ir.Try: "a try block", ir.With: "a with block"}


@dataclass(frozen=True, slots=True)
class Unit:
    """Statements that leave together. `lifts` and `hoists` as in `Cut`; `call` is that of the stage function `callee` if the unit does
    nothing else; `sites` are the predict calls behind it; `why` says what keeps it in one piece."""

    run: ir.Block
    lifts: tuple[ir.Assign, ...]
    hoists: tuple[ir.Assign, ...]
    sites: tuple[PredictSite, ...] = ()
    callee: Scope | None = None
    call: ir.Call | None = None
    why: str = ""

    @property
    def moved(self) -> ir.Block:
        return (*self.run, *self.lifts)

    @property
    def stage(self) -> bool:
        """Whether it is worth a model: it runs one, or calls a stage function."""
        return bool(self.sites) or self.call is not None or bool(self.why)


def joined(units: Iterable[Unit], why: str = "") -> Unit:
    """Neighbours as one piece: what one takes out of another goes back to where it was."""
    first, *rest = units
    for unit in rest:
        inner = {id(h.value) for h in unit.hoists}
        lifts = tuple(e for e in first.lifts if id(e.value) not in inner)
        gone = {id(e.value) for e in first.lifts}
        hoists = tuple(h for h in unit.hoists if id(h.value) not in gone)
        before = tuple(h for h in first.hoists if not any(h.value is k.value for k in hoists))
        callee, call = (unit.callee, unit.call) if first.call is None else (first.callee, first.call) if unit.call is None else (None, None)
        whys = dict.fromkeys(w for w in (first.why, unit.why) if w)
        first = Unit(
            (*first.run, *unit.run), (*lifts, *unit.lifts), (*before, *hoists), (*first.sites, *unit.sites), callee, call, "; ".join(whys)
        )
    return replace(first, why="; ".join(filter(None, dict.fromkeys((first.why, why)))))


class Units:
    """The units of one cut. `stages`: places of the functions that are stages."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline, cut: Cut, stages: frozenset[Span]) -> None:
        self.evaluator, self.pipeline, self.cut, self.stages = evaluator, pipeline, cut, stages
        self.frame: Frame = cut.frame
        self.outward: dict[ir.At, tuple[PredictSite, ...]] = {}
        for site in cut.sites:
            if (at := self._at(site)) is not None:
                self.outward[at] = (*self.outward.get(at, ()), site)
        self.taken = flow.reads(cut.scope.function.body) | flow.binds(cut.scope.function.body)
        self.taken |= {p.name for p in cut.scope.function.parameters} | {lifted_name(e) for e in (*cut.lifts, *cut.hoists)}

    def all(self) -> tuple[Unit, ...]:
        found: list[Unit] = []
        statements = self.cut.moved
        for i, stmt in enumerate(statements):
            if any(isinstance(s, ir.Return) for s in flow.flatten((stmt,))) and not isinstance(stmt, ir.Return) and i + 1 < len(statements):
                rest = (self._whole(s) for s in statements[i:])
                return (*found, joined(rest, f"{self._place(stmt)} may end the pipeline early"))
            found += self._split(stmt)
        return tuple(found)

    # ------------------------------------------------------------ one statement

    def _split(self, stmt: ir.Stmt) -> Iterator[Unit]:
        whole = self._whole(stmt)
        if not isinstance(stmt, (ir.Assign, ir.Evaluate, ir.Return)) or stmt.value is None:
            inner = [e for e in flow.every(stmt) if isinstance(e, ir.Call) and self._callee(e) is not None]
            kind = next((word for node, word in KINDS.items() if isinstance(stmt, node)), "a statement")
            yield replace(whole, why=f"{kind} around a stage ({self._place(stmt)})") if inner or whole.sites else whole
            return
        top = stmt.value
        calls = [e for e in walk(top) if isinstance(e, ir.Call) and self._callee(e) is not None]
        given = [e for e in walk(top) if any(e is h.value for h in whole.hoists)]
        calls = [c for c in calls if not any(c is p for e in given for p in walk(e))]
        if (looped := next((c for c in calls if not always(tuple(path_to(top, c)))), None)) is not None:
            yield replace(whole, why=f"a loop or a branch around a stage ({Span(self.cut.scope.file, *looped.at).place})")
            return
        inner = [c for c in calls if c is not top]
        peeled: list[ir.Assign] = []
        for call in reversed(inner):  # `walk` gives the outer first
            named = lift(self._named(call), call)
            yield self._unit((), (named,), self._hoists(call, peeled, whole.hoists), call)
            peeled.append(named)
        run, lifts = ((), (stmt,)) if lifted_name(stmt) and isinstance(stmt, ir.Assign) else ((stmt,), ())
        own = top if isinstance(top, ir.Call) and any(c is top for c in calls) and self._plain_target(stmt) else None
        yield self._unit(run, lifts, self._hoists(top, peeled, whole.hoists), own)

    def _whole(self, stmt: ir.Stmt) -> Unit:
        run, lifts = ((), (stmt,)) if lifted_name(stmt) and isinstance(stmt, ir.Assign) else ((stmt,), ())
        places = {e.at for e in flow.every(stmt)}
        hoists = tuple(h for h in self.cut.hoists if any(e is h.value for e in flow.every(stmt)))
        return Unit(run, lifts, hoists, self._sites(places))

    def _unit(self, run: ir.Block, lifts: tuple[ir.Assign, ...], hoists: tuple[ir.Assign, ...], call: ir.Call | None) -> Unit:
        left = [e for h in hoists if h.value is not None for e in walk(h.value)]
        inside = {e.at for s in (*run, *lifts) for e in flow.every(s) if not any(e is x for x in left)}
        return Unit(run, lifts, hoists, self._sites(inside), self._callee(call) if call is not None else None, call)

    def _sites(self, places: set[ir.At]) -> tuple[PredictSite, ...]:
        return tuple(site for at, sites in self.outward.items() if at in places for site in sites)

    def _hoists(self, expr: ir.Expr, peeled: list[ir.Assign], given: tuple[ir.Assign, ...]) -> tuple[ir.Assign, ...]:
        """The outermost parts of an expression that others have computed."""
        inside = [h for h in (*peeled, *given) if h.value is not expr and any(p is h.value for p in walk(expr))]
        return tuple(h for h in inside if not any(o is not h and any(p is h.value for p in walk(o.value)) for o in inside if o.value))

    def _callee(self, call: ir.Call) -> Scope | None:
        """The stage function that a call enters."""
        scopes = {f.scope for v in self.evaluator.values(call.func, self.frame) for f in self.evaluator.callables(v)}
        if len(scopes) != 1:
            return None
        (scope,) = scopes
        function = scope.function
        if function.is_async or function.is_generator or scope is self.cut.scope:
            return None
        return scope if Span(scope.file, *function.at) in self.stages or call.at in self.outward else None

    def _at(self, site: PredictSite) -> ir.At | None:
        """Where the cut's function calls what leads to a predict call."""
        for call, frame in (*site.chain, (site.call, site.frame)):
            if frame.scope is self.cut.scope:
                return call.at
        return None

    def _named(self, call: ir.Call) -> str:
        """What the stage function calls its result, or its own name."""
        scope = self._callee(call)
        assert scope is not None
        returned = [s.value for s in flow.flatten(scope.function.body) if isinstance(s, ir.Return)]
        name = returned[-1].id if returned and isinstance(returned[-1], ir.Name) else f"{scope.name.strip('_')}_result"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    @staticmethod
    def _plain_target(stmt: ir.Assign | ir.Evaluate | ir.Return) -> bool:
        if not isinstance(stmt, ir.Assign):
            return True
        names = [t.items if isinstance(t, ir.Sequence) else (t,) for t in stmt.targets]
        return len(names) == 1 and not stmt.augmented and all(isinstance(n, ir.Name) for n in names[0])

    def _place(self, stmt: ir.Stmt) -> str:
        return Span(self.cut.scope.file, *stmt.at).place
