"""Takes statements that use a dict which outlives the request, gives its parts: what is under a constant key (`self.model["align"]`).

Each part may be a cache of its own. What is done with the dict itself must not concern the part: the program asks whether it is there,
makes it in a constructor, looks under other constant keys, or unloads all of it in a thread that stays behind (`copied.unloading`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from triton_migrate.index import ir
from triton_migrate.index.flow import children, own
from triton_migrate.trace.records import Cell


@dataclass(frozen=True, slots=True)
class Slot:
    """The part of a cell under a constant key."""

    cell: Cell
    key: object

    @property
    def kind(self) -> str:
        return self.cell.kind

    @property
    def owner(self) -> str:
        return self.cell.owner

    @property
    def name(self) -> str:
        return f"{self.cell.name}[{self.key!r}]"


Kept: TypeAlias = Cell | Slot


def filled(stmt: ir.Stmt, cell: Cell, dicts: set[int]) -> tuple[Slot, ...]:
    """The parts into which a statement puts something; none where it does something else to the dict. `dicts`: the cell, by id."""
    parts = {id(p): p for p in own(stmt) if _is_part(p) and id(p.value) in dicts}
    targets = stmt.targets if isinstance(stmt, ir.Assign) and not stmt.augmented else ()
    keys = (parts[id(t.value)].key for t in targets if isinstance(t, ir.Subscript) and id(t.value) in parts)
    return tuple(dict.fromkeys(Slot(cell, k.value) for k in keys if isinstance(k, ir.Constant))) if len(parts) == len(dicts) else ()


def around(stmt: ir.Stmt, expr: ir.Expr) -> ir.Subscript | None:
    """The `x["key"]` around this `x`."""
    outer = _outer(stmt, expr)
    return outer if outer is not None and _is_part(outer) and outer.value is expr else None


def asks_for_it(stmt: ir.Stmt, expr: ir.Expr) -> bool:
    """Whether it is only asked whether there is a dict: `self.model is None`, `not self.model`."""
    match _outer(stmt, expr):
        case ir.Operation(_, "Not"):
            return True
        case ir.Operation(_, "Is" | "IsNot", operands):
            return any(isinstance(o, ir.Constant) and o.value is None for o in operands)
    return False


def is_set(stmt: ir.Stmt, expr: ir.Expr) -> bool:
    """Whether the statement puts something in the place of the dict, or takes it away."""
    return isinstance(stmt, (ir.Assign, ir.Delete)) and any(t is expr for t in stmt.targets)


def is_part(expr: ir.Expr, key: object) -> TypeGuard[ir.Subscript]:
    """Whether an expression looks under a constant key, this one."""
    return _is_part(expr) and isinstance(expr.key, ir.Constant) and expr.key.value == key


def _is_part(expr: ir.Expr) -> TypeGuard[ir.Subscript]:
    return isinstance(expr, ir.Subscript) and isinstance(expr.key, ir.Constant)


def _outer(stmt: ir.Stmt, expr: ir.Expr) -> ir.Expr | None:
    return next((p for p in own(stmt) if any(c is expr for c in children(p))), None)
