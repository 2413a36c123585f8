"""Takes the values of an expression, gives the expression by which the owner reaches the live object: a path from a module of the app."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope, Store
from triton_migrate.resolve.values import Api, Instance, Literal, Value, Values
from triton_migrate.rulebook.vocabulary import WebApp

APPLICATION = "application()"


class Reach:
    """Answers for one program. Every answer is text for bindings.py, where `live(file)` is a module and `application()` the web app."""

    def __init__(self, evaluator: Evaluator, texts: dict[str, Text]) -> None:
        self.evaluator, self.program, self.texts = evaluator, evaluator.program, texts

    def expression(self, expr: ir.Expr, frame: Frame) -> str | None:
        """Of an expression of the app: a global with attributes, or something whose object is kept in a known place."""
        match expr:
            case ir.Name(_, name) if self._is_global(name, frame):
                return f'live("{frame.scope.file}").{name}'
            case ir.Name():
                return self.object(self.evaluator.values(expr, frame))
            case ir.Attribute(_, base, attr):
                if (kept := self._kept(expr, frame)) is not None:
                    return kept
                inner = self.expression(base, frame)
                return f"{inner}.{attr}" if inner is not None else None
            case ir.Subscript(_, base, ir.Constant(_, key)):
                inner = self.expression(base, frame)
                return f"{inner}[{key!r}]" if inner is not None else None
            case ir.Call(_, _, (), ()):
                return self.object(self.evaluator.values(expr, frame))
        return None

    def object(self, values: Values) -> str | None:
        """Of an object, by where the app keeps it; None when that is not known, or when there may be several."""
        wanted = frozenset(v for v in values if not (isinstance(v, Literal) and v.value is None))
        if not wanted or len({v.site for v in wanted if isinstance(v, Instance)}) > 1:
            return None
        return self._global(wanted) or self._stored(wanted) or self._getter(wanted)

    def _is_global(self, name: str, frame: Frame) -> bool:
        where: Frame | None = frame
        while where is not None:
            if name in where.scope.bindings:
                return where.scope.kind == "module"
            where = where.parent
        return False

    def _global(self, wanted: Values) -> str | None:
        for path, frame in self.program.frames.items():
            for name, bindings in frame.scope.bindings.items():
                if any(b.how in ("value", "enter") for b in bindings) and self.evaluator.name(name, frame) & wanted:
                    return f'live("{path}").{name}'
        return None

    def _stored(self, wanted: Values) -> str | None:
        """`app.state.index = ...`, `app.config["MODEL"] = ...`, `service.model = ...`."""
        for file in self.program.files.values():
            attributes = ((s, f".{attr}") for attr, stores in file.attribute_stores.items() for s in stores)
            elements = ((s, f"[{key!r}]") for key, stores in file.element_stores.items() if isinstance(key, str) for s in stores)
            for store, last in (*attributes, *elements):
                if self.evaluator.stored(store) & wanted and (base := self._base(store)) is not None:
                    return base + last
        return None

    def _base(self, store: Store) -> str | None:
        """What an attribute or element was stored in."""
        root, frame = store.target, self.program.generic(store.scope)
        while isinstance(root, (ir.Attribute, ir.Subscript)):
            root = root.value
        if not isinstance(root, ir.Name):
            return None
        text = self.texts[store.scope.file].piece(store.target.at)[len(root.id) :]
        values = self.evaluator.name(root.id, frame)
        if any(self._is_application(v) for v in values):
            return APPLICATION + text
        if self._is_global(root.id, frame):
            return f'live("{store.scope.file}").{root.id}{text}'
        held = self._global(frozenset(v for v in values if isinstance(v, Instance)))
        return held + text if held is not None else None

    def _kept(self, expr: ir.Attribute, frame: Frame) -> str | None:
        """`request.app.state.model`, `app.state.model`: a path from the application, spelled out."""
        parts: list[str] = []
        at: ir.Expr = expr
        while isinstance(at, ir.Attribute):
            parts.insert(0, at.attr)
            at = at.value
            if any(self._is_application(v) for v in self.evaluator.values(at, frame)):
                return ".".join((APPLICATION, *parts))
        return None

    def _is_application(self, value: Value) -> bool:
        if not isinstance(value, Api) or not value.path.endswith("()"):
            return False
        return self.evaluator.rulebook.find(value.path.removesuffix("()"), WebApp) is not None

    def _getter(self, wanted: Values) -> str | None:
        """A function without arguments that gives the object, made once (`get_model()`)."""
        for scope in (s for f in self.program.files.values() for s in f.scopes):
            if _is_plain(scope) and any(self.evaluator.values(e, self.program.generic(scope)) & wanted for e in _results(scope)):
                return f'live("{scope.file}").{scope.name}()'
        return None


def _is_plain(scope: Scope) -> bool:
    if scope.kind != "function" or scope.parent is None or scope.parent.kind != "module" or not isinstance(scope.node, ir.Function):
        return False
    return not scope.function.is_async and all(p.default is not None for p in scope.function.parameters)


def _results(scope: Scope) -> list[ir.Expr]:
    found = (s.value for s in flow.flatten(scope.function.body) if isinstance(s, ir.Return))
    return [value for value in found if isinstance(value, (ir.Name, ir.Attribute, ir.Subscript))]
