"""Takes the call that loads a model, gives when it runs: on import, at start-up, on first use, or in every request."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.match import Matcher
from triton_migrate.resolve.scopes import CallPlace, Scope

CACHES = ("functools.lru_cache", "functools.cache", "functools.cached_property")
DEEPEST = 6


class Moments:
    """Follows the callers of a loading function outwards."""

    def __init__(self, matcher: Matcher, startup: frozenset[Scope]) -> None:
        self.matcher, self.evaluator, self.startup = matcher, matcher.evaluator, startup
        self._known: dict[Scope, str] = {}

    def of(self, place: CallPlace) -> str:
        scope = place.scope
        if scope.kind != "function":
            return "import"
        return self._called(scope, 0)

    def _called(self, scope: Scope, depth: int) -> str:
        """When the function that loads runs: at start-up, on import, on first use (cached or guarded), or every time."""
        if scope not in self._known:
            self._known[scope] = "per-request"  # a function that leads to itself says nothing
            self._known[scope] = self._found(scope, depth)
        return self._known[scope]

    def by_hand(self, place: CallPlace, seen: frozenset[Scope] = frozenset()) -> bool:
        """Whether only the main part of a script beside the application leads to the call."""
        if place.scope.kind != "function":
            return self.evaluator.reach.by_hand(place.scope, place.call.at)
        if place.scope in self.startup or place.scope in seen:
            return False
        callers = self.callers(place.scope)
        return bool(callers) and all(self.by_hand(caller, seen | {place.scope}) for caller in callers)

    def _found(self, scope: Scope, depth: int) -> str:
        if scope in self.startup:
            return "startup"
        if self._remembers(scope):
            return "first-use"
        if depth > DEEPEST:
            return "per-request"
        found: set[str] = set()
        for caller in (place.scope for place in self.callers(scope)):
            found.add("import" if caller.kind != "function" else self._called(caller, depth + 1))
        for when in ("import", "startup", "first-use"):
            if when in found:
                return when
        return "per-request"

    def callers(self, scope: Scope) -> list[CallPlace]:
        """The calls of a function anywhere in the program, those among them that handing it on makes (`Thread(target=f)`)."""
        name = scope.owner.name if scope.name == "__init__" and scope.owner else scope.name
        program = self.matcher.program
        found = []
        for place in (*program.calls(name), *self.evaluator.handing.of(name)):
            for value in self.evaluator.values(place.call.func, program.generic(place.scope)):
                if any(f.scope is scope for f in self.evaluator.callables(value)):
                    found.append(place)
        return found

    def _remembers(self, scope: Scope) -> bool:
        """`lru_cache`, `global model` or `self._model = ...` behind a check that it is not there yet."""
        frame = self.matcher.program.generic(scope)
        if self.evaluator.decorated(scope.function, frame, *CACHES):
            return True
        return any(_checks_absence(s) for s in flow.flatten(scope.function.body)) and (
            bool(scope.globals) or any(_stores_attribute(s) for s in flow.flatten(scope.function.body))
        )


def _checks_absence(stmt: ir.Stmt) -> bool:
    if not isinstance(stmt, ir.If):
        return False
    return any(
        (isinstance(e, ir.Operation) and e.operator in ("Is", "IsNot", "Not", "NotIn", "Eq")) or isinstance(e, (ir.Name, ir.Attribute))
        for e in walk(stmt.test)
    )


def _stores_attribute(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Assign) and any(isinstance(t, (ir.Attribute, ir.Subscript)) for t in stmt.targets)
