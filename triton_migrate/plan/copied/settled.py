"""Takes a parameter of a function that makes an object, gives whether it is the same constant whenever the program calls the function.

What a request says (`get_model(body.name)`) is not settled, nor is a default that the client may override: an object made of it cannot
be made by load().
"""

from __future__ import annotations

from collections.abc import Iterable

from triton_migrate.index import flow, ir
from triton_migrate.plan.copied.making import Making
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.program import is_test
from triton_migrate.resolve.scopes import CallPlace, Scope
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
        own = scope.function.parameters
        parameters = own[1:] if scope.owner is not None else own
        given = ((argument_map(parameters, p.call).get(name), p) for p in places)
        return not any(_spread(p.call) for p in places) and all(expr is None or self.expression(expr, p.scope) for expr, p in given)

    def expression(self, expr: ir.Expr, scope: Scope) -> bool:
        """Whether an expression reads nothing of a request, and no parameter of its function, or only such."""
        if scope.kind != "function":
            return True
        needed = Making(scope.function, {}).needed(expr, expr.at)
        parts = (p for e in (expr, *(e for s in needed.statements for e in flow.every(s))) for p in flow.walk(e))
        return not self._requested(parts, scope) and all(self.parameter(scope, name) for name in needed.arguments)

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
            if not is_test(place.scope.file)
            for value in self.evaluator.values(place.call.func, self.program.generic(place.scope))
            if any(f.scope is scope for f in self.evaluator.callables(value))
        ]


def _spread(call: ir.Call) -> bool:
    return any(isinstance(a, ir.Starred) for a in call.args) or any(name is None for name, _ in call.keywords)
