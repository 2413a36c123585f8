"""Takes an expression that names a file, gives the path relative to the root as far as it can be known."""

from __future__ import annotations

import posixpath

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.parameters import expressions
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Instance, Literal, Module

DEPTH = 12
JOIN = ("os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath")
SAME = ("os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser", "builtins.str", "os.fspath", "builtins.open")


def file_of(evaluator: Evaluator, expr: ir.Expr, frame: Frame) -> str | None:
    """`os.path.join(BASE, "model", "x.pkl")`, `Path(__file__).parent / "x"`, an open file's name … ; None when unknown.

    A path made from `__file__` comes out relative to the project's root; a literal one as it is written.
    """
    found = _text(evaluator, expr, frame, 0)
    return posixpath.normpath(found) if found else None


def _text(evaluator: Evaluator, expr: ir.Expr | None, frame: Frame, depth: int) -> str | None:
    if expr is None or depth > DEPTH:
        return None
    match expr:
        case ir.Constant(_, str() as text):
            return text
        case ir.Name(_, "__file__"):
            return frame.scope.file
        case ir.Name(_, name):
            return _named(evaluator, name, frame, depth)
        case ir.Operation(_, "Div" | "Add" as operator, (left, right)):
            a, b = _text(evaluator, left, frame, depth + 1), _text(evaluator, right, frame, depth + 1)
            if a is None or b is None:
                return None
            return posixpath.join(a, b) if operator == "Div" else a + b
        case ir.Joined(_, parts):
            texts = [_text(evaluator, p, frame, depth + 1) for p in parts]
            return "".join(t for t in texts if t) if all(t is not None for t in texts) else None
        case ir.Attribute(_, base, "parent"):
            found = _text(evaluator, base, frame, depth + 1)
            return posixpath.dirname(found) if found is not None else None
        case ir.Subscript(_, ir.Attribute(_, base, "parents"), ir.Constant(_, int() as up)):
            found = _text(evaluator, base, frame, depth + 1)
            for _ in range(up + 1):
                found = posixpath.dirname(found) if found is not None else None
            return found
        case ir.Attribute(_, base, attr):
            return _attribute(evaluator, base, attr, frame, depth)
        case ir.Call():
            return _call(evaluator, expr, frame, depth)
    return None


def _named(evaluator: Evaluator, name: str, frame: Frame, depth: int) -> str | None:
    at: Frame | None = frame
    while at is not None:
        bindings = at.scope.bindings.get(name, ())
        for binding in bindings:
            found = None
            if binding.how in ("value", "enter") and not binding.unpacked:
                found = _text(evaluator, binding.expr, at, depth + 1)
            elif binding.how == "from" and depth < DEPTH:
                stmt, given = binding.imported
                path = evaluator.program.module_path(at.scope.file, stmt.module, stmt.level)
                found = _named(evaluator, given, evaluator.program.frames[path], depth + 1) if path is not None else None
            elif binding.how == "parameter" and depth < DEPTH:
                told = {_text(evaluator, e, f, depth + 1) for e, f in expressions(evaluator, binding.node, at)}  # type: ignore[arg-type]
                found = told.pop() if len(told) == 1 else None
            if found is not None:
                return found
        if bindings and at.scope.kind != "class":
            break
        at = at.parent
    literals = {v.value for v in evaluator.name(name, frame) if isinstance(v, Literal) and isinstance(v.value, str)}
    return literals.pop() if len(literals) == 1 else None


def _attribute(evaluator: Evaluator, base: ir.Expr, attr: str, frame: Frame, depth: int) -> str | None:
    for value in evaluator.values(base, frame):
        if isinstance(value, Module) and not value.path.endswith("/"):
            return _named(evaluator, attr, evaluator.program.frames[value.path], depth + 1)
        if isinstance(value, Instance):
            for cls in evaluator.mro(value.of):
                if not isinstance(cls, Api) and attr in cls.scope.bindings:
                    return _named(evaluator, attr, evaluator.program.generic(cls.scope), depth + 1)
            for store in evaluator.program.files[value.of.scope.file].attribute_stores.get(attr, ()):
                if found := _text(evaluator, store.value, evaluator.program.generic(store.scope), depth + 1):
                    return found
    return None


def _call(evaluator: Evaluator, call: ir.Call, frame: Frame, depth: int) -> str | None:
    paths = {a.path for a in evaluator.apis(call.func, frame)}
    if isinstance(call.func, ir.Attribute) and call.func.attr in ("resolve", "absolute", "expanduser", "as_posix", "open"):
        if (found := _text(evaluator, call.func.value, frame, depth + 1)) is not None:
            return found
    if isinstance(call.func, ir.Attribute) and call.func.attr == "joinpath":
        parts = [_text(evaluator, a, frame, depth + 1) for a in (call.func.value, *call.args)]
        return posixpath.join(*(p for p in parts if p)) if all(p is not None for p in parts) else None
    if paths & {"os.path.dirname"} and call.args:
        found = _text(evaluator, call.args[0], frame, depth + 1)
        return posixpath.dirname(found) if found is not None else None
    if paths & {"os.getcwd", "pathlib.Path.cwd"}:
        return ""
    if paths & {"os.environ.get", "os.getenv"} and len(call.args) > 1:
        return _text(evaluator, call.args[1], frame, depth + 1)
    if paths & set(SAME) and call.args:
        return _text(evaluator, call.args[0], frame, depth + 1)
    if paths & {p for j in JOIN for p in (j, j + "()")} and call.args:
        parts = [_text(evaluator, a, frame, depth + 1) for a in call.args]
        return posixpath.join(*(p for p in parts if p is not None)) if all(p is not None for p in parts) else None
    return None
