"""Takes a name that holds something loaded, gives the global that every way to it comes from.

`infer(scaler, model, rows)` is given globals: which one a parameter is, the calls say. Values do not always say it: what is taken out
of a pickled dict (`bundle["scaler"]`) is to the evaluator the same object as the dict.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import ir
from triton_migrate.plan.copied.settled import Settled
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Module

Global = tuple[str, str]  # file and name; of what is kept under an attribute or a key of an object no file (`app.state.model`)
DEPTH = 6


class Origins:
    """Answers for one program."""

    def __init__(self, evaluator: Evaluator, settled: Settled) -> None:
        self.evaluator, self.program, self.settled = evaluator, evaluator.program, settled

    def of(self, name: str, scope: Scope, depth: int = DEPTH) -> frozenset[Global]:
        """The globals that the name may be; none where it is not known to be some global in every case."""
        where: Scope | None = scope
        while where is not None and name not in where.bindings:
            where = where.parent
        if where is None or depth == 0:
            return frozenset()
        bindings = where.bindings[name]
        if where.kind == "module":
            return frozenset({self._defined(where.file, name)})
        if where.kind != "function" or len(bindings) != 1:
            return frozenset()
        (binding,) = bindings
        if binding.how == "parameter":
            return self._passed(name, where, depth)
        return self._expression(binding.expr, where, depth) if binding.how == "value" and not binding.unpacked else frozenset()

    def part(self, name: str, scope: Scope) -> bool:
        """Whether the name is bound to a part of something, from which the evaluator cannot tell it."""
        frame = self.program.generic(scope)
        for binding in scope.bindings.get(name, ()):
            if self.taken_out(binding.expr, frame):
                return True
            if (
                binding.unpacked
                and binding.expr is not None
                and self.evaluator.values(binding.expr, frame) & self.evaluator.name(name, frame)
            ):
                return True
            if binding.unpacked and isinstance(binding.expr, ir.Call) and self._unpacks(binding.expr, frame):
                return True
        return False

    def handed(self, name: str, scope: Scope, depth: int = DEPTH) -> Iterator[tuple[ir.Expr, Scope]]:
        """The parts of something that calls pass on for a parameter (`judge(bundle["model"], rows)`), each with its function."""
        if depth == 0 or scope.kind != "function" or [b.how for b in scope.bindings.get(name, ())] != ["parameter"]:
            return
        for place in self.settled.calls(scope):
            given, frame = self.evaluator.passed(scope, place.call, self.program.generic(place.scope)).get(name), place.scope
            if isinstance(given, ir.Name) and place.scope.kind == "function":
                yield from ((given, frame),) if self.part(given.id, frame) else self.handed(given.id, frame, depth - 1)
            elif given is not None and self.taken_out(given, self.program.generic(frame)):
                yield given, frame

    def taken_out(self, expr: ir.Expr | None, frame: Frame) -> bool:
        """Whether `expr` is a part of something (`bundle["scaler"]`), from which the evaluator cannot tell it."""
        return isinstance(expr, ir.Subscript) and bool(self.evaluator.values(expr.value, frame) & self.evaluator.values(expr, frame))

    def _unpacks(self, call: ir.Call, frame: Frame) -> bool:
        """Whether what a function of the program gives holds several parts of one thing."""
        items = [self.evaluator.element(v, i) for v in self.evaluator.values(call, frame) for i in range(2)]
        return len(items) > 1 and bool(items[0] & items[1])

    def _passed(self, name: str, scope: Scope, depth: int) -> frozenset[Global]:
        """What all calls of the function give for a parameter."""
        found: set[Global] = set()
        for place in self.settled.calls(scope):
            given = self.evaluator.passed(scope, place.call, self.program.generic(place.scope)).get(name)
            one = self._expression(given, place.scope, depth - 1) if given is not None else frozenset()
            if not one:
                return frozenset()
            found |= one
        return frozenset(found)

    def _expression(self, expr: ir.Expr | None, scope: Scope, depth: int) -> frozenset[Global]:
        match expr:
            case ir.Name(_, name):
                return self.of(name, scope, depth - 1)
            case ir.Attribute(_, base, attr):
                modules = [v for v in self.evaluator.values(base, self.program.generic(scope)) if isinstance(v, Module)]
                return frozenset((m.path, attr) for m in modules) or frozenset({("", attr)})
        return frozenset({("", key)}) if expr is not None and (key := kept_under(expr)) else frozenset()

    def _defined(self, file: str, name: str) -> Global:
        """The module that defines a global, and its name there."""
        for _ in range(DEPTH):
            imported = next((b for b in self.program.frames[file].scope.bindings.get(name, ()) if b.how == "from"), None)
            if imported is None:
                break
            stmt, original = imported.imported
            path = self.program.module_path(file, stmt.module, stmt.level)
            if path is None or original not in self.program.frames[path].scope.bindings:
                break
            file, name = path, original
        return file, name


def kept_under(expr: ir.Expr) -> str:
    """The attribute or key that an object keeps something under: `app.state.model`, `app.config["MODEL"]`."""
    match expr:
        case ir.Attribute(_, _, name) | ir.Subscript(_, _, ir.Constant(_, str() as name)):
            return name
    return ""
