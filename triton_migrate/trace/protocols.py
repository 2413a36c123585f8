"""Takes an operation on an object of the program (`emb[texts]`, `emb @ text`, `for box in boxes`), walks the method that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Instance, UserFunction
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk

OPERATORS = {"MatMult": "__matmul__", "RShift": "__rshift__", "LShift": "__lshift__", "BitOr": "__or__"}  # what models are called by


def operated(walk: Walk, subject: ir.Expr, method: str, argument: Taint, frame: Frame) -> Taint:
    """What the method gives, `argument` being what stands beside the object."""
    found = CLEAN
    for value in walk.evaluator.values(subject, frame):
        for function in walk.evaluator.class_attribute(value.of, method, value) if isinstance(value, Instance) else ():
            if isinstance(function, UserFunction) and (names := [p.name for p in function.scope.function.parameters]):
                if walk.step is not None:
                    walk.step.enters.add(function.scope)
                found |= walk.run(function, {names[0]: frozenset({value})}, dict.fromkeys(names[1:2], argument))
    return found
