"""Takes an expression that names a file, gives the path relative to the root as far as it can be known."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Container
from functools import partial

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.parameters import expressions
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, Module, Value

ANYTHING = "\0"
DEEPEST = 50  # names on the way from one to another
JOIN = ("os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath")
SAME = ("os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser", "builtins.str", "os.fspath", "builtins.open")


def file_of(evaluator: Evaluator, expr: ir.Expr, frame: Frame) -> str | None:
    """`os.path.join(BASE, "model", "x.pkl")`, `Path(__file__).parent / "x"`, an open file's name … ; None when unknown.

    A path made from `__file__` comes out relative to the project's root; a literal one as it is written.
    """
    found = _Texts(evaluator).of(expr, frame)
    return posixpath.normpath(found) if found else None


def folder_of(evaluator: Evaluator, expr: ir.Expr, frame: Frame, walked: Container[Scope]) -> str | None:
    """The folder of a file whose own name need not be known: `os.path.join("faces", secure_filename(name))`.

    Of the calls of a function only those in the functions that were `walked` count, where there are any.
    """
    known, more, _ = (_Beginnings(evaluator, walked).of(expr, frame) or ANYTHING).partition(ANYTHING)
    return _folder(known.rpartition("/")[0] if more else posixpath.dirname(known))


def listed(evaluator: Evaluator, expr: ir.Expr, frame: Frame, walked: Container[Scope]) -> str | None:
    """The folder that an expression names as a whole, itself or by a pattern of its files: `faces/*.jpg`."""
    found = _Beginnings(evaluator, walked).of(expr, frame) or ANYTHING
    parts = posixpath.normpath(found).split("/")
    fixed = next((n for n, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    return _folder("/".join(parts[:fixed])) if ANYTHING not in found else None


def _folder(found: str) -> str | None:
    """None for the working directory: everything lies there."""
    return path if found and (path := posixpath.normpath(found)) not in (".", "/") else None


class _Texts:
    """What the expressions say that one expression leads to."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._known: dict[tuple[str, Frame | Value], str | None] = {}
        self._deep = 0

    def of(self, expr: ir.Expr | None, frame: Frame) -> str | None:
        if expr is None:
            return None
        match expr:
            case ir.Constant(_, str() as text):
                return text
            case ir.Name(_, "__file__"):
                return frame.scope.file
            case ir.Name(_, name):
                return self._named(name, frame)
            case ir.Operation(_, "Div" | "Add" as operator, (left, right)):
                a, b = self.of(left, frame), self.of(right, frame)
                if a is None or b is None:
                    return None
                return posixpath.join(a, b) if operator == "Div" else a + b
            case ir.Joined(_, parts):
                texts = [self.of(p, frame) for p in parts]
                return "".join(t for t in texts if t) if all(t is not None for t in texts) else None
            case ir.Attribute(_, base, "parent"):
                found = self.of(base, frame)
                return posixpath.dirname(found) if found is not None else None
            case ir.Subscript(_, ir.Attribute(_, base, "parents"), ir.Constant(_, int() as up)):
                found = self.of(base, frame)
                for _ in range(up + 1):
                    found = posixpath.dirname(found) if found is not None else None
                return found
            case ir.Attribute(_, base, attr):
                return self._attribute(base, attr, frame)
            case ir.Call():
                return self._call(expr, frame)
        return None

    def _once(self, name: str, holder: Frame | Value, said: Callable[[], str | None]) -> str | None:
        """What a name or an attribute says: what a parameter is given leads to the parameters of all callers, and to theirs."""
        if (name, holder) not in self._known and self._deep < DEEPEST:
            self._deep += 1
            self._known[name, holder] = None  # where it leads back to itself
            self._known[name, holder] = said()
            self._deep -= 1
        return self._known.get((name, holder))

    def _named(self, name: str, frame: Frame) -> str | None:
        return self._once(name, frame, lambda: self._bound(name, frame))

    def _bound(self, name: str, frame: Frame) -> str | None:
        at: Frame | None = frame
        while at is not None:
            bindings = at.scope.bindings.get(name, ())
            for binding in bindings:
                found = None
                if binding.how in ("value", "enter") and not binding.unpacked:
                    found = self.of(binding.expr, at)
                elif binding.how == "from":
                    stmt, given = binding.imported
                    path = self.evaluator.program.module_path(at.scope.file, stmt.module, stmt.level)
                    found = self._named(given, self.evaluator.program.frames[path]) if path is not None else None
                elif binding.how == "parameter":
                    found = self._given({self.of(e, f) for e, f in self._callers_give(binding.node, at)})  # type: ignore[arg-type]
                if found is not None:
                    return found
            if bindings and at.scope.kind != "class":
                break
            at = at.parent
        literals = {v.value for v in self.evaluator.name(name, frame) if isinstance(v, Literal) and isinstance(v.value, str)}
        return literals.pop() if len(literals) == 1 else None

    def _callers_give(self, parameter: ir.Parameter, frame: Frame) -> list[tuple[ir.Expr, Frame]]:
        return expressions(self.evaluator, parameter, frame)

    def _given(self, told: set[str | None]) -> str | None:
        return told.pop() if len(told) == 1 else None

    def _attribute(self, base: ir.Expr, attr: str, frame: Frame) -> str | None:
        for value in self.evaluator.values(base, frame):
            if isinstance(value, Module) and not value.path.endswith("/"):
                return self._named(attr, self.evaluator.program.frames[value.path])
            if isinstance(value, Instance):
                for cls in self.evaluator.mro(value.of):
                    if not isinstance(cls, Api) and attr in cls.scope.bindings:
                        return self._named(attr, self.evaluator.program.generic(cls.scope))
                if found := self._once(attr, value, partial(self._stored, value, attr)):
                    return found
        return None

    def _stored(self, holder: Instance, attr: str) -> str | None:
        for store in self.evaluator.program.files[holder.of.scope.file].attribute_stores.get(attr, ()):
            if found := self.of(store.value, self.evaluator.program.generic(store.scope)):
                return found
        return None

    def _call(self, call: ir.Call, frame: Frame) -> str | None:
        paths = {a.path for a in self.evaluator.apis(call.func, frame)}
        if isinstance(call.func, ir.Attribute) and call.func.attr in ("resolve", "absolute", "expanduser", "as_posix", "open"):
            if (found := self.of(call.func.value, frame)) is not None:
                return found
        if isinstance(call.func, ir.Attribute) and call.func.attr == "joinpath":
            parts = [self.of(a, frame) for a in (call.func.value, *call.args)]
            return posixpath.join(*(p for p in parts if p)) if all(p is not None for p in parts) else None
        if paths & {"os.path.dirname"} and call.args:
            found = self.of(call.args[0], frame)
            return posixpath.dirname(found) if found is not None else None
        if paths & {"os.getcwd", "pathlib.Path.cwd"}:
            return ""
        if paths & {"os.environ.get", "os.getenv"} and len(call.args) > 1:
            return self.of(call.args[1], frame)
        if paths & set(SAME) and call.args:
            return self.of(call.args[0], frame)
        if paths & {p for j in JOIN for p in (j, j + "()")} and call.args:
            parts = [self.of(a, frame) for a in call.args]
            return posixpath.join(*(p for p in parts if p is not None)) if all(p is not None for p in parts) else None
        return None


class _Beginnings(_Texts):
    """The same, with `ANYTHING` for what is not known."""

    def __init__(self, evaluator: Evaluator, walked: Container[Scope]) -> None:
        super().__init__(evaluator)
        self._walked = walked

    def _callers_give(self, parameter: ir.Parameter, frame: Frame) -> list[tuple[ir.Expr, Frame]]:
        given = super()._callers_give(parameter, frame)
        return [(expr, where) for expr, where in given if where.scope in self._walked] or given

    def _given(self, told: set[str | None]) -> str | None:
        """What all callers have in common."""
        texts = [text for text in told if text is not None]
        return texts[0] if len(texts) == 1 else posixpath.commonprefix(texts) + ANYTHING

    def of(self, expr: ir.Expr | None, frame: Frame) -> str | None:
        found = super().of(expr, frame)
        if found is None and isinstance(expr, ir.Subscript):  # `app.config["UPLOAD_FOLDER"]`
            literals = {v.value for v in self.evaluator.values(expr, frame) if isinstance(v, Literal) and isinstance(v.value, str)}
            found = literals.pop() if len(literals) == 1 else None
        return ANYTHING if found is None and expr is not None else found
