"""Takes a run of statements and the statements below it, gives the expressions of those that leave the app with the run.

A statement that answers the request stays, but parts of it may need the model (`round(float(model.predict(x)[0]), 2)`,
`model.classes_.tolist()`) or a value that cannot travel (a tensor, a table): such a part is computed at the end of the run, and its
value crosses instead.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.costs import value_cost
from triton_migrate.plan.cutting.hoists import always
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.values.types import Types
from triton_migrate.resolve.scopes import Frame

SIMPLE = (ir.Assign, ir.Return, ir.Evaluate)


@dataclass(frozen=True, slots=True)
class Below:
    """The statements below a run in its block, and what is known at the run's end."""

    frame: Frame
    run: ir.Block
    rest: ir.Block
    near: int  # how many of them are in the run's own block: what is lifted out of the others must not depend on the request
    known: frozenset[str]  # local names that are bound when the run ends
    local: frozenset[str]
    stuck: Callable[[str], bool]  # whether a name is bound in the run and its value cannot travel
    hoists: tuple[ir.Assign, ...] = ()  # expressions in `rest` that the app evaluates before the run


class Lifts:
    """Answers for one function."""

    def __init__(self, judge: Judge, types: Types) -> None:
        self.judge, self.types = judge, types
        self._paths: dict[tuple[int, int], tuple[ir.Expr, ...]] = {}  # by the value of a statement and the anchor in it
        self._leaving: dict[tuple[int, ...], bool] = {}  # by the expression and what is hoisted

    def of(self, below: Below, calls: tuple[ir.Call, ...]) -> tuple[ir.Assign, ...] | None:
        """The lifted expressions; None when one of the predict `calls` below the run cannot be lifted."""
        found: list[ir.Expr] = []
        owners: dict[int, ir.Stmt] = {}
        for number, stmt in enumerate(below.rest):
            between = below.rest[:number]
            required = [c for c in calls if liveness.holds(stmt, c)]
            if required and (not isinstance(stmt, SIMPLE) or not all(isinstance(s, (ir.Assign, ir.Evaluate)) for s in between)):
                return None
            if not isinstance(stmt, SIMPLE) or stmt.value is None:
                continue
            known = below if number < below.near else replace(below, known=frozenset())
            for anchor in (*required, *self._anchors(stmt.value, below)):
                chosen = self._around(anchor, stmt, known, between)
                if chosen is not None:
                    found.append(chosen)
                    owners[id(chosen)] = stmt
                elif any(anchor is c for c in required):
                    return None
        outer = [e for e in found if not any(o is not e and any(p is e for p in walk(o)) for o in found)]
        distinct = {id(e): e for e in outer}.values()
        taken = set(below.local) | flow.reads((*below.run, *below.rest))
        return tuple(liveness.lift(_named(e, owners[id(e)], taken), e) for e in distinct)

    def _anchors(self, expr: ir.Expr, below: Below) -> list[ir.Expr]:
        """Parts that need something loaded, or read a value that cannot travel."""
        return [
            part for part in walk(expr) if (isinstance(part, ir.Name) and below.stuck(part.id)) or self.judge.uses_loaded(part, below.frame)
        ]

    def _around(self, anchor: ir.Expr, stmt: ir.Assign | ir.Return | ir.Evaluate, below: Below, between: ir.Block) -> ir.Expr | None:
        """The cheapest expression around the anchor that may be computed at the end of the run; of equals the outermost."""
        assert stmt.value is not None
        key = id(stmt.value), id(anchor)
        if (path := self._paths.get(key)) is None:
            path = self._paths[key] = _computed_once(stmt.value, anchor)
        legal = [e for e in path if self._may_leave(e, stmt, below, between)]
        return min(legal, key=lambda e: self._price(e, below), default=None)

    def _price(self, expr: ir.Expr, below: Below) -> float:
        given = (h.value for h in below.hoists if any(p is h.value for p in walk(expr)))
        return sum(value_cost(self.types.of(e, below.frame)) for e in (expr, *given))

    def _may_leave(self, expr: ir.Expr, stmt: ir.Stmt, below: Below, between: ir.Block) -> bool:
        if isinstance(expr, (ir.Name, ir.Constant, ir.Starred, ir.Slice)):
            return False
        plain = liveness.without(expr, below.hoists)
        names = {n.id for n in flow.names(plain)} & below.local
        if not names <= below.known or names & liveness.written(between):
            return False
        if any(isinstance(p, (ir.Await, ir.Yield, ir.Walrus)) for p in walk(plain)):
            return False
        key = id(expr), *map(id, below.hoists)
        if (known := self._leaving.get(key)) is None:
            travels = self.types.of(expr, below.frame).travels is not False
            known = self._leaving[key] = travels and self.judge.part_leaves(expr, stmt, below.frame, below.hoists)
        return known


def _computed_once(expr: ir.Expr, anchor: ir.Expr) -> tuple[ir.Expr, ...]:
    """The expressions from `expr` down to the anchor that are computed exactly once."""
    path = tuple(liveness.path_to(expr, anchor))
    if any(isinstance(e, ir.Joined) for e in path[:-1]):  # places inside f-strings are not reliable before Python 3.12
        path = path[: next(i for i, e in enumerate(path) if isinstance(e, ir.Joined)) + 1]
    return tuple(e for i, e in enumerate(path) if always(path[: i + 1]))


def _named(expr: ir.Expr, stmt: ir.Stmt, taken: set[str]) -> str:
    """What the program calls the value: a keyword, a key, a variable, an attribute."""
    found = "result"
    match stmt:
        case ir.Assign(_, (ir.Name(_, name),), value, _, _) if value is expr:
            found = f"{name}_value"
        case ir.Assign(_, (ir.Subscript(_, _, ir.Constant(_, str() as key)),), value, _, _) if value is expr:
            found = key
    for part in flow.own(stmt):
        if isinstance(part, ir.Call):
            found = next((k for k, v in part.keywords if k and any(p is expr for p in walk(v))), found)
        if isinstance(part, ir.Mapping):
            pairs = ((k, v) for k, v in zip(part.keys, part.values, strict=True) if isinstance(k, ir.Constant))
            found = next((str(k.value) for k, v in pairs if any(p is expr for p in walk(v))), found)
    name = re.sub(r"\W+", "_", found).strip("_").lower() or "result"
    name = f"value_{name}" if keyword.iskeyword(name) or name[:1].isdigit() else name
    while name in taken:
        name += "_"
    taken.add(name)
    return name
