"""Takes a parameter of a function that makes an object, gives whether it is the same constant whenever the program calls the function.

What a request says (`get_model(body.name)`) is not settled, nor is a default that the client may override: an object made of it cannot
be made by load().
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from triton_migrate.index import flow, ir
from triton_migrate.plan.copied.making import Making, Needed
from triton_migrate.plan.cutting.liveness import imported_names, local_names, names_around
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import WebRequest

BOUND = frozenset({"self", "cls"})


class Settled:
    """Answers for one program. `answering`: the functions that a request runs through."""

    def __init__(self, evaluator: Evaluator, answering: frozenset[Scope]) -> None:
        self.evaluator, self.program, self.answering = evaluator, evaluator.program, answering
        self._known: dict[tuple[Scope, str], bool] = {}

    def parameter(self, scope: Scope, name: str) -> bool:
        """Whether every call leaves a parameter at its default, or at something that is settled itself."""
        if name in BOUND:
            return True
        if (scope, name) not in self._known:
            self._known[(scope, name)] = True  # a function that calls itself passes on what it was given
            self._known[(scope, name)] = self._parameter(scope, name)
        return self._known[(scope, name)]

    def _parameter(self, scope: Scope, name: str) -> bool:
        places = self.calls(scope)
        if not places and scope in self.answering:  # the web framework calls it
            return False
        given = ((self.evaluator.passed(scope, p.call, self.program.generic(p.scope)).get(name), p) for p in places)
        return not any(_spread(p.call) for p in places) and all(expr is None or self.expression(expr, p.scope) for expr, p in given)

    def expression(self, expr: ir.Expr, scope: Scope) -> bool:
        """Whether an expression reads nothing of a request, and no parameter of its function, or only such."""
        if scope.kind != "function":
            return True
        needed = Making(scope.function, {}).needed(expr, expr.at)
        parts = (p for e in (expr, *(e for s in needed.statements for e in flow.every(s))) for p in flow.walk(e))
        if self._requested(parts, scope) or not all(self.parameter(scope, name) for name in needed.arguments):
            return False
        return all(self._around(name, expr, scope) for name in self._nowhere(needed, scope))

    def _nowhere(self, needed: Needed, scope: Scope) -> set[str]:
        """Names that are read and that neither these statements nor the module bind: of a loop, a comprehension, a function around it."""
        read = flow.reads(needed.statements) | {n.id for n in flow.names(needed.result)}
        known = flow.binds(needed.statements) | {p.name for p in scope.function.parameters} | imported_names(scope)
        known |= {n for s in flow.flatten(scope.function.body) if isinstance(s, ir.Declare) for n in s.names}
        around = local_names(scope) | names_around(scope)
        return {n for n in read - known if n in around or not self._of_module(n, self.program.frames[scope.file])}

    def _of_module(self, name: str, frame: Frame) -> bool:
        """Whether the module knows a name: itself, by `import *`, or because Python does."""
        nobody = Api(f"builtins.{name}")
        return name in frame.scope.bindings or hasattr(builtins, name) or any(v != nobody for v in self.evaluator.name(name, frame))

    def _around(self, name: str, expr: ir.Expr, scope: Scope) -> bool:
        """Whether a name is what a `with` around the expression opens, and that is settled."""
        opened = (s for s in flow.around(scope.function.body, expr.at) if isinstance(s, ir.With))
        items = [e for s in opened for e, t in s.items if t is not None and name in {n.id for n in flow.names(t)}]
        return bool(items) and all(self.expression(e, scope) for e in items)

    def _requested(self, parts: Iterable[ir.Expr], scope: Scope) -> bool:
        """Whether something of a request is read that is no parameter (`flask.request`)."""
        frame, find = self.program.generic(scope), self.evaluator.rulebook.find
        read = (p for p in parts if isinstance(p, (ir.Name, ir.Attribute)))
        return any(isinstance(v, Api) and find(v.path, WebRequest) is not None for p in read for v in self.evaluator.values(p, frame))

    def calls(self, scope: Scope) -> list[CallPlace]:
        """Where the program calls a function, tests aside."""
        name = scope.owner.name if scope.name == "__init__" and scope.owner is not None else scope.name
        return [
            place
            for place in self.program.calls(name)
            if not self.program.is_test(place.scope.file)
            for value in self.evaluator.values(place.call.func, self.program.generic(place.scope))
            if any(f.scope is scope for f in self.evaluator.callables(value))
        ]


def _spread(call: ir.Call) -> bool:
    return any(isinstance(a, ir.Starred) for a in call.args) or any(name is None for name, _ in call.keywords)
