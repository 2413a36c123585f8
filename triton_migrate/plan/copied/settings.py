"""Takes expressions that read settings of the web application, gives what `pipeline.py` writes instead: it has no application.

`app.root_path` is a folder of the app's tree, `app.logger` a logger; `app.config["MODEL_PATH"]` is its constant, where the program sets
it to one, or the one expression of the standard library that it is set to (`os.getenv("MODEL_PATH", "model.pkl")`).
"""

from __future__ import annotations

import json
import posixpath
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, UserClass, Value
from triton_migrate.rulebook.vocabulary import Effect, WebApp

PLAIN = (str, int, float, bool)
LOGGER = "logging.getLogger"
FILLING = ("update", "from_mapping")
STANDARD = sys.stdlib_module_names


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands for a setting: `text`, the attribute `text` of a class of the program, or an expression of a function or module."""

    text: str
    of: UserClass | None = None
    given: tuple[ir.Expr, Scope] | None = None


class Settings:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._known: dict[str, tuple[ir.Expr, Scope] | None] = {}

    def written(self, expr: ir.Expr, frame: Frame) -> Setting | None:
        """What stands for a setting; None for every other expression."""
        if not isinstance(expr, (ir.Attribute, ir.Subscript, ir.Call)):
            return None
        root = _root(expr)
        if root is None or self._is_set(expr, frame.scope.file) or not any(self._is_app(v) for v in self.evaluator.name(root.id, frame)):
            return None
        if isinstance(expr, ir.Attribute) and expr.value is root and self._logs(expr, frame):
            return Setting(f"{LOGGER}({json.dumps(frame.scope.file.removesuffix('.py').replace('/', '.'))})")
        if isinstance(expr, ir.Attribute) and expr.attr == "root_path" and expr.value is root:
            folder = posixpath.dirname(frame.scope.file)
            return Setting(f'str(APP_ROOT / "{folder}")' if folder else "str(APP_ROOT)")
        values = self.evaluator.values(expr, frame)
        value = next(iter(values)) if len(values) == 1 else None
        if isinstance(value, Literal) and isinstance(value.value, PLAIN):
            return Setting(repr(value.value))
        if not isinstance(expr, ir.Attribute) and (given := self._given(expr)) is not None:
            return Setting("", given=given)
        told = any(isinstance(v, (Literal, Instance)) or (isinstance(v, Api) and v.path.endswith("()")) for v in values)
        return self._of_class(expr) if not isinstance(expr, ir.Attribute) and not told else None

    def _is_set(self, expr: ir.Attribute | ir.Subscript | ir.Call, file: str) -> bool:
        """Whether the program sets it here: `app.json.ensure_ascii = False`."""
        known = self.evaluator.program.files[file]
        if isinstance(expr, ir.Attribute):
            return any(store.target is expr.value for store in known.attribute_stores.get(expr.attr, ()))
        key = expr.key.value if isinstance(expr, ir.Subscript) and isinstance(expr.key, ir.Constant) else None
        return isinstance(expr, ir.Subscript) and any(store.target is expr.value for store in known.element_stores.get(key, ()))

    def _logs(self, expr: ir.Attribute, frame: Frame) -> bool:
        """Whether the attribute is the application's logger."""
        rules = [a for r in self.evaluator.rulebook.of_role(Effect) if r.kind == "log" for a in r.api]
        return any(a.startswith(f"{v.path}.") for v in self.evaluator.apis(expr, frame) for a in rules)

    def _of_class(self, expr: ir.Subscript | ir.Call) -> Setting | None:
        """`app.config.from_object(Config)`: its attributes are settings."""
        key = _key(expr)
        owners = {o for c in self._classes() if (o := self._owner(c, key)) is not None} if key else set()
        return Setting(key, owners.pop()) if len(owners) == 1 else None

    def _given(self, expr: ir.Subscript | ir.Call) -> tuple[ir.Expr, Scope] | None:
        """The one expression that the program sets it to, if that needs nothing but the standard library."""
        key = _key(expr)
        if not key:
            return None
        if key not in self._known:
            self._known[key] = None  # a setting made of itself is none
            found = list(self._set_to(key))
            self._known[key] = found[0] if len(found) == 1 and self._is_plain(*found[0]) else None
        return self._known[key]

    def _set_to(self, key: str) -> Iterator[tuple[ir.Expr, Scope]]:
        """`config.update(KEY=...)`, `config.from_mapping({"KEY": ...})`, `config["KEY"] = ...`."""
        program = self.evaluator.program
        for place in (p for name in FILLING for p in program.calls(name)):
            if isinstance(place.call.func, ir.Attribute) and self._is_config(place.call.func.value, place.scope):
                mappings = [a for a in place.call.args if isinstance(a, ir.Mapping)]
                pairs = [p for m in mappings for p in zip(m.keys, m.values, strict=True)]
                yield from ((v, place.scope) for k, v in pairs if isinstance(k, ir.Constant) and k.value == key)
                yield from ((v, place.scope) for k, v in place.call.keywords if k == key)
        for file in program.files.values():
            yield from ((s.value, s.scope) for s in file.element_stores.get(key, ()) if self._is_config(s.target, s.scope))

    def _is_config(self, expr: ir.Expr, scope: Scope) -> bool:
        root = _root(expr) if isinstance(expr, ir.Attribute) and expr.attr == "config" else None
        return root is not None and any(self._is_app(v) for v in self.evaluator.name(root.id, self.evaluator.program.generic(scope)))

    def _is_plain(self, expr: ir.Expr, scope: Scope) -> bool:
        """Whether it is made of constants and of calls of the standard library."""
        frame = self.evaluator.program.generic(scope)
        local = flow.binds(scope.function.body) | {p.name for p in scope.function.parameters} if scope.kind == "function" else set()
        if ({n.id for n in flow.names(expr)} & local) - self.only(list(walk(expr)), frame):
            return False
        calls = [e for e in walk(expr) if isinstance(e, ir.Call) and self.written(e, frame) is None]
        apis = [tuple(self.evaluator.apis(c.func, frame)) for c in calls]
        return all(found and all(a.path.split(".")[0] in STANDARD for a in found) for found in apis)

    def _owner(self, cls: UserClass, name: str) -> UserClass | None:
        return next((b for b in self.evaluator.mro(cls) if isinstance(b, UserClass) and name in b.scope.bindings), None)

    def _classes(self) -> set[UserClass]:
        """The classes that the application takes its settings from."""
        found: set[Value] = set()
        for place in self.evaluator.program.calls("from_object"):
            frame = self.evaluator.program.generic(place.scope)
            if place.call.args:
                found |= self.evaluator.values(place.call.args[0], frame)
        return {v for v in found if isinstance(v, UserClass)}

    def inside(self, exprs: Sequence[ir.Expr], frame: Frame) -> set[int]:
        """The parts (by id) of expressions that are settings."""
        return {id(p) for e in exprs if self.written(e, frame) is not None for p in walk(e)}

    def plain(self, function: ir.Function, frame: Frame) -> dict[int, ir.Expr]:
        """By id, what to read instead of the settings in a function: nothing."""
        exprs = flow.every_of_function(function)
        return {id(e): ir.Constant(e.at, None) for e in exprs if self.written(e, frame) is not None}

    def only(self, exprs: list[ir.Expr], frame: Frame) -> set[str]:
        """Names that these expressions read in settings alone: `pipeline.py` needs none of them."""
        inside = self.inside(exprs, frame)
        read = [e for e in exprs if isinstance(e, ir.Name)]
        return {n.id for n in read if id(n) in inside} - {n.id for n in read if id(n) not in inside}

    def _is_app(self, value: Value) -> bool:
        return isinstance(value, Api) and self.evaluator.rulebook.find(value.path.removesuffix("()"), WebApp) is not None


def _key(expr: ir.Subscript | ir.Call) -> str:
    """The name of a setting."""
    key = expr.key if isinstance(expr, ir.Subscript) else expr.args[0] if len(expr.args) == 1 else None
    return key.value if isinstance(key, ir.Constant) and isinstance(key.value, str) and key.value.isupper() else ""


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
