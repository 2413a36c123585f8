"""Models between which the application chooses, as the versions of one Triton model: the records, and what of the code chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Site, Value, Values

Mark: TypeAlias = tuple[str, Site | None]
ENTRY = "[]"


@dataclass(frozen=True, slots=True)
class Version:
    """One model: what the application calls it, and the expression that loads it; `given` are loop variables, with what they are."""

    number: int
    key: object
    expr: ir.Expr
    scope: Scope
    given: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Registry:
    """The models of a dict, or of several names; `span` says where.

    `marks` are what the entries are, by what the evaluator knows of them, and `members` what is in entries that are dicts themselves;
    `containers` are the dicts and `names` the globals that hold them. `edits` put the numbers in the place of the loads; `makers` are
    functions that do nothing but load for it, and the classes of what they load.
    """

    span: Span
    versions: tuple[Version, ...]
    marks: frozenset[Mark]
    members: frozenset[Mark]
    containers: frozenset[Site]
    names: frozenset[tuple[str, str]]
    edits: tuple[tuple[Span, str], ...]
    makers: tuple[Span, ...] = ()

    def chooses(self, evaluator: Evaluator, expr: ir.Expr | None, frame: Frame) -> bool:
        """Whether an expression is one of the models, or None, and nothing else."""
        return expr is not None and self.holds(evaluator.values(expr, frame))

    def holds(self, values: Values) -> bool:
        found = marks(values)
        return bool(found) and found <= self.marks

    def of(self, values: Values) -> bool:
        """Whether the dict of all may be among the values."""
        return any(isinstance(v, Container) and v.site in self.containers for v in values)

    def inline(self, evaluator: Evaluator, exprs: Iterable[ir.Expr], frame: Frame) -> tuple[ir.Expr, ...]:
        """The expressions that choose a model where it is used: `MODELS[name]` of `MODELS[name].predict(x)`."""
        used = (p.func if isinstance(p, ir.Call) else p.value for p in exprs if isinstance(p, (ir.Attribute, ir.Call, ir.Subscript)))
        found = (e for e in used if not isinstance(e, (ir.Name, ir.Attribute)) and self.chooses(evaluator, e, frame))
        return tuple({id(e): e for e in found}.values())

    def read_by(self, evaluator: Evaluator, stmt: ir.Stmt, parts: Sequence[ir.Expr], frame: Frame) -> bool:
        """Whether a statement chooses a model for those below it, or asks what there is: the application goes on doing so."""
        if isinstance(stmt, ir.Assign) and self.chooses(evaluator, stmt.value, frame):
            return True
        inside = {id(p) for e in self.inline(evaluator, parts, frame) for p in walk(e)}
        named = [p for p in parts if isinstance(p, (ir.Name, ir.Attribute)) and id(p) not in inside]
        outer = (p for p in named if isinstance(p, ir.Name) and (frame.scope.file, p.id) in self.names and p.id not in frame.scope.bindings)
        return any(True for _ in outer) or any(self.of(evaluator.values(p, frame)) for p in named)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One version of a registry: the one that a `pipeline.py` is written for."""

    registry: Registry
    version: Version


def objects(values: Values) -> Values:
    """Without the None of `MODELS.get(name)`."""
    return frozenset(v for v in values if not (isinstance(v, Literal) and v.value is None))


def marks(values: Values) -> frozenset[Mark]:
    """What values are and where they were made; those of which that is not known have no place."""
    return frozenset(_mark(v) for v in objects(values))


def _mark(value: Value) -> Mark:
    match value:
        case Api():
            return value.path, value.made
        case Container():
            return ENTRY, value.site
        case Instance():
            return f"{value.of.scope.name}()", value.site
    return str(value), None


def alike(one: object, other: object) -> bool:
    """Whether two expressions are written alike, wherever they stand."""
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return one == other
    if type(one) is not type(other) or len(one) != len(other):
        return False
    start = 1 if hasattr(one, "_fields") else 0
    return all(alike(a, b) for a, b in zip(one[start:], other[start:], strict=True))
