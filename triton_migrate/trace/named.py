"""Takes a callee, gives how the source writes it."""

from __future__ import annotations

from triton_migrate.index import ir


def callee_text(expr: ir.Expr) -> str:
    """A callee as the source writes it: `self.net`, `model.predict`, `get_model().predict`."""
    match expr:
        case ir.Name(_, name):
            return name
        case ir.Attribute(_, value, attr):
            return f"{callee_text(value)}.{attr}"
        case ir.Call(_, func):
            return f"{callee_text(func)}()"
        case ir.Subscript(_, value, ir.Constant(_, key)):
            return f"{callee_text(value)}[{key!r}]"
        case ir.Subscript(_, value):
            return f"{callee_text(value)}[...]"
    return "(...)"
