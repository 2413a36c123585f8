"""Takes a part of something loaded (`bundle["model"]`, `scaler, model = get_model()`), gives the global that load() takes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Scope, last_name

if TYPE_CHECKING:
    from triton_migrate.plan.copied.objects import Objects


class Parts:
    """The parts that one pipeline.py takes out; `objects` has what they are parts of."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def bound(self, name: str, scope: Scope, where: Span) -> str:
        """What a local is that holds a part."""
        bindings = scope.bindings[name]
        taken = bindings[0].expr
        text = self._text(taken if len(bindings) == 1 else None, scope, bindings[0].at, name, where)
        if taken is not None and bindings[0].unpacked:
            text = self.objects.bound((scope, taken.at), f"{last_name(taken)}_result", f"{text}\n")
        places = "".join(f"[{i}]" for i in bindings[0].unpacked)
        return self.objects.bound((scope, name, bindings[0].at), name, f"{text}{places}\n")

    def passed(self, expr: ir.Expr, scope: Scope, name: str, where: Span) -> str:
        """What a call passes on: a part, or a local that holds one; `name` is the parameter."""
        if isinstance(expr, ir.Name):
            return self.bound(expr.id, scope, where)
        return self.objects.bound((scope, expr.at), name, f"{self._text(expr, scope, expr.at, name, where)}\n")

    def _text(self, taken: ir.Expr | None, scope: Scope, at: ir.At, name: str, where: Span) -> str:
        if taken is None or not self.objects.settled.expression(taken, scope):
            reason = f"{name} is taken out of something loaded before the code that leaves"
            raise self.objects.closure.stuck(reason, where, f"take {name} out at the top level of the file")
        local = self.objects.prepared_at(scope, taken, at)
        return self.objects.piece(taken, scope, local, where)
