"""Takes moved statements and a value that they get from the app, gives whether it stands for a file: then the file's bytes cross the cut.

The server has another disk. A path that moved code opens crosses as the file that it names (`pack_file`), an uploaded file as what is
in it; both only where nothing else is done with them: their names stay behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.plan.values.declared import KNOWN_INSTANCES
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, UserClass, Value
from triton_migrate.rulebook.vocabulary import Effect

READS = frozenset({"read", "seek", "tell", "readline", "readlines"})
ASKS = frozenset({"exists", "isfile", "getsize"})  # of os.path: the copy answers as the file does
DEPTH = 6


@dataclass(frozen=True, slots=True)
class Use:
    """`opened`: something opens it, as a path or as an open file. `read`: it is an open file, whose methods are called.

    `only`: nothing else is done with it.
    """

    opened: bool
    only: bool
    read: bool = False

    def __or__(self, other: Use) -> Use:
        return Use(self.opened or other.opened, self.only and other.only, self.read or other.read)


NONE = Use(False, True)


class Files:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.rulebook = evaluator, evaluator.rulebook
        self._known: dict[tuple[str, int, Frame], tuple[Use, ir.Stmt]] = {}  # with the statement, so that its id stays its own

    def named(self, name: str, statements: ir.Block, frame: Frame) -> Use:
        """What is done with a variable."""
        if any(isinstance(s, (ir.Define, ir.DefineClass)) and name in flow.reads((s,)) for s in flow.flatten(statements)):
            return Use(False, False)
        found = NONE
        for stmt in statements:
            found |= self._named_in(name, stmt, frame)
        return found

    def _named_in(self, name: str, stmt: ir.Stmt, frame: Frame) -> Use:
        key = (name, id(stmt), frame)
        if key not in self._known:
            bound = Use(False, False) if name in flow.binds((stmt,)) else NONE
            self._known[key] = self._uses(_is_name(name), (stmt,), frame, 0) | bound, stmt
        return self._known[key][0]

    def of(self, expr: ir.Expr, stmt: ir.Stmt, frame: Frame) -> Use:
        """What is done with the value of one expression of a statement."""
        return self._uses(lambda e: e is expr, (stmt,), frame, 0)

    def _uses(self, is_it: Callable[[ir.Expr], bool], statements: ir.Block, frame: Frame, depth: int) -> Use:
        found = NONE
        for stmt in flow.flatten(statements):
            for expr in flow.expressions(stmt):
                for parents in ways_down(expr, is_it):
                    found |= self._use(parents, frame, depth)
        return found

    def _use(self, parents: tuple[ir.Expr, ...], frame: Frame, depth: int) -> Use:
        """One occurrence, by the expressions from the statement's own down to it."""
        if len(parents) < 2:
            return Use(False, False)
        above, it = parents[-2], parents[-1]
        if isinstance(above, ir.Attribute):
            return Use(False, above.attr in READS, True)
        if isinstance(above, ir.Sequence) and above.kind == "list" and len(parents) > 2:
            above, it = parents[-3], above
        if isinstance(above, ir.Joined):
            return Use(False, self._logs(parents, frame))
        if not isinstance(above, ir.Call) or not (any(a is it for a in above.args) or any(v is it for _, v in above.keywords)):
            return Use(False, False)
        found = NONE
        for value in self.evaluator.values(above.func, frame):
            found |= self._given(value, above, it, frame, depth)
        return found

    def _logs(self, parents: tuple[ir.Expr, ...], frame: Frame) -> bool:
        calls = (p for p in parents if isinstance(p, ir.Call))
        return any((r := self._effect(a)) is not None and r.kind == "log" for c in calls for a in self.evaluator.apis(c.func, frame))

    def _effect(self, api: Api) -> Effect | None:
        return self.rulebook.find(api.called, Effect)

    def _given(self, value: Value, call: ir.Call, it: ir.Expr, frame: Frame, depth: int) -> Use:
        """What a call does with an argument."""
        if isinstance(value, Api):
            effect = self._effect(value)
            if effect is not None and effect.kind in ("file-read", "log"):
                return Use(effect.kind == "file-read", True)
            module, _, name = value.path.rpartition(".")
            if module in ("builtins", "os", "os.path", "posixpath", "pathlib", "shutil", "re", "json"):
                return Use(False, module == "os.path" and name in ASKS)
            return Use(self.rulebook.canonical(f"{value.path}()") in KNOWN_INSTANCES["image"], True)
        found = NONE
        for function in self.evaluator.callables(value):
            if depth == DEPTH or isinstance(value, UserClass):
                return Use(False, False)
            bound = function.receiver is not None
            given = argument_map(function.scope.function.parameters[1:] if bound else function.scope.function.parameters, call)
            for name in (n for n, e in given.items() if e is it):
                body = function.scope.function.body
                inner = self._uses(_is_name(name), body, self.evaluator.program.generic(function.scope), depth + 1)
                found |= inner | (Use(False, False) if name in flow.binds(body) else NONE)
        return found

    def written(self, name: str, before: ir.Block, frame: Frame) -> bool:
        """Whether statements write a file under this name."""
        calls = (e for s in before for e in flow.every(s) if isinstance(e, ir.Call))
        return any(self._writes(c, frame) for c in calls if any(isinstance(a, ir.Name) and a.id == name for a in c.args))

    def _writes(self, call: ir.Call, frame: Frame) -> bool:
        effects = [e for a in self.evaluator.apis(call.func, frame) if (e := self._effect(a)) is not None]
        mode = port(call, "mode|1")
        changes = isinstance(mode, ir.Constant) and str(mode.value)[:1] in "wax"
        return any(e.kind == "file-write" or (e.kind == "file-read" and changes) for e in effects)

    def temporary(self, expr: ir.Expr, frame: Frame) -> bool:
        """`file.name` of an open file, a temporary one say."""
        if not isinstance(expr, ir.Attribute) or expr.attr != "name":
            return False
        return any(isinstance(v, Api) and v.path == "builtins.open()" for v in self.evaluator.values(expr.value, frame))


def _is_name(name: str) -> Callable[[ir.Expr], bool]:
    return lambda expr: isinstance(expr, ir.Name) and expr.id == name


def ways_down(expr: ir.Expr, is_it: Callable[[ir.Expr], bool]) -> Iterator[tuple[ir.Expr, ...]]:
    """The ways from an expression down to every part that is it."""
    if is_it(expr):
        yield (expr,)
        return
    for child in flow.children(expr):
        for below in ways_down(child, is_it):
            yield (expr, *below)
