"""Takes the plan that `record` wrote, gives observed.jsonl: types, shapes and ranges of the values in the functions around a model.

The functions' source is compiled with a call around each expression, in memory: no file changes, and each value is passed on as it is.
Of contents only the least and the greatest number are kept. It runs in the application's interpreter, whichever that is.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import math
import os
import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

PLAN, OBSERVED = "TRITON_MIGRATE_PROBES", "TRITON_MIGRATE_OBSERVED"
NAME = "__triton_migrate_observe__"
LINES = 40  # of one place and process
LOOKS = 500  # at one place: a loop is not to be slowed down
DEEPEST, WIDEST = 5, 64  # containers in each other, and their items
LARGEST = 1 << 22  # elements of an array whose range is computed
ARRAYS = frozenset(("numpy.ndarray", "numpy.generic", "torch.Tensor"))
PROBED = (ast.Call, ast.Subscript, ast.Attribute, ast.BinOp, ast.BoolOp, ast.IfExp, ast.Await)
Tree = dict[str, Any]


# ---------------------------------------------------------------- what a value is


def describe(value: object, depth: int = 0) -> Tree:
    """The type of a value as a tree: of containers their items', of arrays dtype, shape and range; no contents."""
    kind = type(value)
    tree: Tree = {"type": _path(kind)}
    if kind in (bool, type(None)):
        return tree
    if kind in (int, float):
        return {**tree, "range": _range(value, value)}
    if kind in (str, bytes):
        return {**tree, "length": len(value)}  # type: ignore[arg-type]
    if kind in (list, tuple, dict):
        inside: list[Any] = list(value.values() if isinstance(value, dict) else value)  # type: ignore[call-overload]
        if depth == DEEPEST or (kind is tuple and len(inside) > WIDEST):
            return {**tree, "length": len(inside)}
        found = [describe(item, depth + 1) for item in inside[:WIDEST]]
        return {**tree, "length": len(inside), "items": found if kind is tuple else _distinct(found)}
    bases = [_path(base) for base in kind.__mro__[1:-1]][:8]
    if bases:
        tree["bases"] = bases
    array: Any = value
    if not ARRAYS.isdisjoint((tree["type"], *bases)):
        tree["dtype"], tree["shape"] = str(array.dtype).rpartition(".")[2], [int(size) for size in array.shape]
        if getattr(array.dtype, "kind", "") and array.dtype.kind in "biuf" and 0 < array.size <= LARGEST:
            tree["range"] = _range(array.min(), array.max())
    return tree


def _path(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


def _range(least: Any, most: Any) -> Any:
    try:
        found = [float(least), float(most)]
    except OverflowError:  # an integer that no float holds
        return None
    return found if all(map(math.isfinite, found)) else None


def _distinct(trees: list[Tree]) -> list[Tree]:
    """Each kind of item once, with the range of all."""
    found: dict[str, Tree] = {}
    for tree in trees:
        same = found.setdefault(signature(tree), dict(tree))
        widen(same, tree)
    return list(found.values())


def signature(tree: Tree) -> str:
    """What a tree says but for ranges and lengths."""
    inner = [signature(item) for item in tree.get("items") or ()]
    return json.dumps([tree["type"], tree.get("dtype"), tree.get("shape"), inner])


def widen(known: Tree, tree: Tree) -> bool:
    """Let the range of the first hold that of the second; whether it did not before."""
    one, two = known.get("range"), tree.get("range")
    if one is None or two is None or (one[0] <= two[0] and two[1] <= one[1]):
        return False
    known["range"] = [min(one[0], two[0]), max(one[1], two[1])]
    return True


# ---------------------------------------------------------------- writing it down


class Observer:
    """Called with a place and a value; gives the value back. What it has written already, it does not write again."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.seen: dict[str, dict[str, Tree]] = {}
        self.looks: dict[str, int] = {}

    def __call__(self, place: str, value: Any) -> Any:
        looks = self.looks.get(place, 0)
        if looks < LOOKS:
            self.looks[place] = looks + 1
            tree = describe(value)
            known = self.seen.setdefault(place, {})
            key = signature(tree)
            if len(known) < LINES and (key not in known or widen(known[key], tree)):
                known.setdefault(key, tree)
                self._write(place, known[key])
        return value

    def _write(self, place: str, tree: Tree) -> None:
        line = json.dumps({"place": place, "value": tree}) + "\n"
        try:
            number = os.open(self.file, os.O_WRONLY | os.O_APPEND)  # whole lines, whichever process writes
            try:
                os.write(number, line.encode())
            finally:
                os.close(number)
        except OSError:  # the disk is full, or the file is gone: the application goes on
            pass


# ---------------------------------------------------------------- asking at each place


class Probing(ast.NodeTransformer):
    """Puts a call around the expressions of some functions. `functions`: their first lines. A place is `file:line:column:line:column`."""

    def __init__(self, file: str, functions: frozenset[int]) -> None:
        self.file, self.functions, self.inside = file, functions, False

    def visit_FunctionDef(self, node: Any) -> Any:
        around, self.inside = self.inside, node.lineno in self.functions
        body = [self.visit(statement) for statement in node.body]
        if self.inside:
            documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            given = [*getattr(node.args, "posonlyargs", ()), *node.args.args, *node.args.kwonlyargs]
            asking = [self._told(arg, node) for arg in given]
            body[documented:documented] = asking
        self.inside = around
        node.body = body
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        around, self.inside = self.inside, False
        node.body = [self.visit(statement) for statement in node.body]
        self.inside = around
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        return node  # places in f-strings differ from Python to Python

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_match_case(self, node: Any) -> Any:
        node.guard = self.visit(node.guard) if node.guard is not None else None
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.Delete:
        return node

    def visit(self, node: ast.AST) -> Any:
        whole = isinstance(node, PROBED) and isinstance(getattr(node, "ctx", None) or ast.Load(), ast.Load)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):  # the object that has the method, not the method
                node.func.value = self.visit(node.func.value)
            node.args, node.keywords = [self.visit(arg) for arg in node.args], [self.visit(word) for word in node.keywords]
            return self._around(node)
        if isinstance(node, ast.Await):
            inner: Any = self.generic_visit(node.value) if isinstance(node.value, ast.Call) else self.visit(node.value)
            node.value = inner
            return self._around(node)
        if isinstance(node, ast.Attribute):
            names = node
            while isinstance(names.value, ast.Attribute):
                names = names.value
            names.value = self.visit(names.value)
            return self._around(node) if whole else node
        changed = super().visit(node)
        return self._around(changed) if whole else changed

    def _around(self, node: Any) -> Any:
        return self._asked(_place(self.file, node), node) if self.inside else node

    def _asked(self, place: str, value: Any) -> Any:
        name = ast.copy_location(ast.Name(NAME, ast.Load()), value)
        return ast.copy_location(ast.Call(name, [ast.copy_location(ast.Constant(place), value), value], []), value)

    def _told(self, arg: ast.arg, node: Any) -> ast.stmt:
        value = ast.copy_location(ast.Name(arg.arg, ast.Load()), arg)
        return ast.copy_location(ast.Expr(self._asked(_place(self.file, node) + ":" + arg.arg, value)), arg)


def _place(file: str, node: Any) -> str:
    return ":".join(map(str, (file, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)))


def probed(data: bytes, path: str, file: str, functions: frozenset[int]) -> types.CodeType:
    """The code of a module whose functions tell what their values are."""
    tree = Probing(file, functions).visit(ast.parse(data, path))
    code: types.CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


# ---------------------------------------------------------------- getting into the application


class Plan:
    """Which functions of which files; a file that has changed since it was scanned is left alone."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files

    def code(self, path: str) -> types.CodeType | None:
        known = self.files.get(os.path.realpath(path))
        if known is None:
            return None
        with open(path, "rb") as source:
            data = source.read()
        if hashlib.sha256(data).hexdigest() != known["sha256"]:
            return None
        return probed(data, path, known["file"], frozenset(known["functions"]))


class Loader(SourceFileLoader):
    """Loads one module with probes, and keeps no bytecode of it."""

    plan: Plan

    def get_code(self, fullname: str) -> types.CodeType | None:
        return self.plan.code(self.path) or super().get_code(fullname)


class Finder(MetaPathFinder):
    """Finds modules as ever; those of the plan are loaded with probes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or os.path.realpath(spec.loader.path) not in self.plan.files:
            return None
        spec.loader = Loader(fullname, spec.loader.path)
        spec.loader.plan = self.plan
        return spec


def start(folder: str) -> None:
    """Put the probes in; a script of the plan, which no import loads, is started again under `main`."""
    if PLAN not in os.environ:
        return
    with open(os.environ[PLAN], encoding="utf-8") as file:
        plan = Plan(json.load(file))
    setattr(builtins, NAME, Observer(os.environ[OBSERVED]))
    sys.meta_path.insert(0, Finder(plan))
    given, whole = getattr(sys, "argv", None) or [""], getattr(sys, "orig_argv", [])
    if os.path.realpath(given[0]) in plan.files and whole[-len(given) :] == given:
        runner = os.path.join(folder, os.path.basename(__file__))
        os.execv(sys.executable, [sys.executable, *whole[1 : len(whole) - len(given)], runner, *given])


def main() -> None:
    """Run the script that is named first, as Python would, with probes."""
    sys.argv[:] = sys.argv[1:]
    script = sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    module = types.ModuleType("__main__")
    module.__file__, module.__builtins__ = script, builtins  # type: ignore[attr-defined]
    sys.modules["__main__"] = module
    with open(os.environ[PLAN], encoding="utf-8") as file:
        code = Plan(json.load(file)).code(script)
    if code is None:
        with open(script, "rb") as source:
            code = compile(source.read(), script, "exec", dont_inherit=True)
    exec(code, module.__dict__)


if __name__ == "__main__":
    main()
