"""Takes the call that loads a model, gives when it runs: on import, at start-up, on first use, or in every request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.match import Matcher
from triton_migrate.resolve.scopes import CallPlace, Scope, last_name
from triton_migrate.rulebook.vocabulary import WebApp

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
        callers = self.callers(scope)
        served = [place for place in callers if place.scope.kind == "function" or not self.by_hand(place)]
        for caller in (place.scope for place in served or callers):
            found.add("import" if caller.kind != "function" else self._called(caller, depth + 1))
        for when in ("import", "startup", "first-use"):
            if when in found:
                return when
        return "startup" if scope in self._factories else "per-request"

    @cached_property
    def beginning(self) -> frozenset[Scope]:
        """The functions that run before the first request: start-up hooks, what makes the application, and what modules and those call."""
        program, ev = self.matcher.program, self.evaluator
        calls = (p for f in program.files.values() for places in f.calls.values() for p in places)
        left = [(scope, 0) for scope in (*self.startup, *self._factories)]
        left += [
            (scope, 0)
            for place in calls
            if place.scope.kind == "module" and place.decorates is None and ev.reach.runs(place.scope, place.call.at)
            for scope in self._entered(place)
        ]
        found: set[Scope] = set()
        while left:
            scope, depth = left.pop()
            if scope in found or depth > DEEPEST:
                continue
            found.add(scope)
            inside = (e for s in flow.flatten(scope.function.body) for x in flow.expressions(s) for e in walk(x))
            places = (CallPlace(e, scope, None) for e in inside if isinstance(e, ir.Call))
            left += [(inner, depth + 1) for place in places for inner in self._entered(place)]
        return frozenset(found)

    def _entered(self, place: CallPlace) -> Iterator[Scope]:
        frame = self.matcher.program.generic(place.scope)
        for value in self.evaluator.values(place.call.func, frame):
            yield from (f.scope for f in self.evaluator.callables(value))

    @cached_property
    def _factories(self) -> frozenset[Scope]:
        """The functions that make a web application: a server calls them (`gunicorn "app:create_app()"`)."""
        return frozenset(match.place.scope for match in self.matcher.find(WebApp) if match.place.scope.kind == "function")

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
        body = tuple(flow.flatten(scope.function.body))
        kept = {name for stmt in body if isinstance(stmt, ir.Assign) for t in stmt.targets for name in _keeps(t, scope)}
        return any(kept & _tested(stmt.test) for stmt in body if isinstance(stmt, ir.If))


def _keeps(target: ir.Expr, scope: Scope) -> Iterator[str]:
    """What outlives the function and is assigned: a global, an attribute, an element of something."""
    match target:
        case ir.Name(_, name) if name in scope.globals or name in scope.nonlocals:
            yield name
        case ir.Attribute(_, _, name):
            yield name
        case ir.Subscript(_, base, _):
            yield last_name(base)
        case ir.Sequence(_, _, items):
            for item in items:
                yield from _keeps(item, scope)


def _tested(test: ir.Expr) -> set[str]:
    """The names, attributes and texts (`hasattr(self, "model")`) that a test is about."""
    parts = tuple(walk(test))
    named = {p.id if isinstance(p, ir.Name) else p.attr for p in parts if isinstance(p, (ir.Name, ir.Attribute))}
    return named | {p.value for p in parts if isinstance(p, ir.Constant) and isinstance(p.value, str)}
