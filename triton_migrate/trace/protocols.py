"""Takes an operation on an object of the program (`emb[texts]`, `emb @ text`, `for box in boxes`), walks the method that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def operated(walk: Walk, subject: ir.Expr, method: str, argument: Taint, frame: Frame) -> Taint:
    """What the method gives, `argument` being what stands beside the object."""
    found = CLEAN
    for entrance, names in walk.shared.operated(subject, method, frame):
        if walk.step is not None:
            walk.step.enters.add(entrance.function.scope)
        found |= walk.run(entrance, dict.fromkeys(names, argument))
    return found
