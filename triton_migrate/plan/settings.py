"""Takes expressions that read settings of the web application, gives what `pipeline.py` writes instead: it has no application.

`app.root_path` is a folder of the app's tree; `app.config["MODEL_PATH"]` is its constant, where the program sets it to one.
"""

from __future__ import annotations

import posixpath

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Literal, Value
from triton_migrate.rulebook.vocabulary import WebApp

PLAIN = (str, int, float, bool)


class Settings:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def written(self, expr: ir.Expr, frame: Frame) -> str | None:
        """What stands for a setting; None for every other expression."""
        if not isinstance(expr, (ir.Attribute, ir.Subscript, ir.Call)):
            return None
        root = _root(expr)
        if root is None or not any(self._is_app(v) for v in self.evaluator.name(root.id, frame)):
            return None
        if isinstance(expr, ir.Attribute) and expr.attr == "root_path" and expr.value is root:
            folder = posixpath.dirname(frame.scope.file)
            return f'str(APP_ROOT / "{folder}")' if folder else "str(APP_ROOT)"
        values = self.evaluator.values(expr, frame)
        value = next(iter(values)) if len(values) == 1 else None
        return repr(value.value) if isinstance(value, Literal) and isinstance(value.value, PLAIN) else None

    def inside(self, exprs: list[ir.Expr], frame: Frame) -> set[int]:
        """The parts (by id) of expressions that are settings."""
        return {id(p) for e in exprs if self.written(e, frame) is not None for p in walk(e)}

    def only(self, exprs: list[ir.Expr], frame: Frame) -> set[str]:
        """Names that these expressions read in settings alone: `pipeline.py` needs none of them."""
        inside = self.inside(exprs, frame)
        read = [n for e in exprs if isinstance(e, ir.Name) for n in (e,)]
        return {n.id for n in read if id(n) in inside} - {n.id for n in read if id(n) not in inside}

    def _is_app(self, value: Value) -> bool:
        return isinstance(value, Api) and self.evaluator.rulebook.find(value.path.removesuffix("()"), WebApp) is not None


def _root(expr: ir.Expr) -> ir.Name | None:
    """The name at the root of `app.config["X"]` or `app.config.get("X")`."""
    if isinstance(expr, ir.Call):
        getter = isinstance(expr.func, ir.Attribute) and expr.func.attr == "get" and not expr.keywords
        return _root(expr.func) if getter and all(isinstance(a, ir.Constant) for a in expr.args) else None
    while isinstance(expr, (ir.Attribute, ir.Subscript)):
        if isinstance(expr, ir.Subscript) and not isinstance(expr.key, ir.Constant):
            return None
        expr = expr.value
    return expr if isinstance(expr, ir.Name) else None
