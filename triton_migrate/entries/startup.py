"""Takes matches of hooks and applications, gives the functions that run once at start-up (lifespan, `on_event("startup")` …)."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import WebApp, WebHook


def startup_functions(matcher: Matcher) -> tuple[UserFunction, ...]:
    """Functions that the framework calls before the first request."""
    found: list[UserFunction] = []
    for match in matcher.find(WebApp):
        if match.rule.lifespan:
            found += _functions(matcher, port(match.place.call, match.rule.lifespan), match.place)
    for hook in matcher.find(WebHook):
        if _when(matcher, hook.rule.when, hook.place) != "startup":
            continue
        if hook.rule.handler != "decorated":
            found += _functions(matcher, port(hook.place.call, hook.rule.handler), hook.place)
        elif isinstance(hook.place.decorates, ir.Function):
            scope = hook.place.scope
            found.append(UserFunction(scope.children[id(hook.place.decorates)], matcher.program.generic(scope)))
    return tuple(dict.fromkeys(found))


def lifespan_arguments(matcher: Matcher) -> dict[tuple[Scope, str], Values]:
    """What `lifespan(app)` gets, when no annotation says it: the application itself."""
    found: dict[tuple[Scope, str], Values] = {}
    for match in matcher.find(WebApp, inherited=True):
        expr = port(match.place.call, match.rule.lifespan) if match.rule.lifespan else None
        for function in _functions(matcher, expr, match.place):
            parameters = function.scope.function.parameters[1 if function.receiver is not None else 0 :]
            if parameters and parameters[0].annotation is None:
                app = Api(matcher.rulebook.canonical(f"{match.api.path}()"), match.site)
                found[function.scope, parameters[0].name] = frozenset({app})
    return found


def _when(matcher: Matcher, when: str, place: CallPlace) -> object:
    """A hook's time, which may be an argument: `arg:event_type|0`."""
    return matcher.constant(port(place.call, when[4:]), place) if when.startswith("arg:") else when


def _functions(matcher: Matcher, expr: ir.Expr | None, place: CallPlace) -> Iterator[UserFunction]:
    values: tuple[Value, ...] = tuple(matcher.evaluator.values(expr, matcher.program.generic(place.scope)))
    yield from (v for v in values if isinstance(v, UserFunction))
