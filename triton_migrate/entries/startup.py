"""Takes matches of hooks and applications, gives the functions that run once at start-up (lifespan, `on_event("startup")` …)."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, Container, Site, UserFunction, Values
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
        found += _hooked(matcher, hook)
    return tuple(dict.fromkeys(found))


def _hooked(matcher: Matcher, hook: Match[WebHook]) -> Iterator[UserFunction]:
    place = hook.place
    if hook.rule.handler != "decorated":
        yield from _functions(matcher, port(place.call, hook.rule.handler), place)
    elif isinstance(place.decorates, ir.Function):
        yield UserFunction(place.scope.children[id(place.decorates)], matcher.program.generic(place.scope))


def lifespan_arguments(matcher: Matcher) -> dict[tuple[Scope, str], Values]:
    """What `lifespan(app)` and the functions of hooks get, when no annotation says it: the application itself."""
    found: dict[tuple[Scope, str], Values] = {}
    for match in matcher.find(WebApp, inherited=True):
        expr = port(match.place.call, match.rule.lifespan) if match.rule.lifespan else None
        for function in _functions(matcher, expr, match.place):
            parameters = function.scope.function.parameters[1 if function.receiver is not None else 0 :]
            if parameters and parameters[0].annotation is None:
                app = Api(matcher.rulebook.canonical(f"{match.api.path}()"), match.site)
                found[function.scope, parameters[0].name] = frozenset({app})
    for hook in matcher.find(WebHook):
        for function in _hooked(matcher, hook) if hook.rule.request else ():
            found |= first_arguments(function, hook.rule.request)
    return found


def yielded_states(matcher: Matcher) -> dict[str, tuple[UserFunction, ...]]:
    """The functions whose yielded mapping each request carries: `yield {"model": model}` is `request.state.model`, by that path."""
    found: dict[str, tuple[UserFunction, ...]] = {}
    for match in matcher.find(WebApp, inherited=True):
        if match.rule.state and match.rule.lifespan:
            functions = tuple(_functions(matcher, port(match.place.call, match.rule.lifespan), match.place))
            for path in match.rule.state:
                found[path] = tuple(dict.fromkeys((*found.get(path, ()), *functions)))
    return found


def first_arguments(function: UserFunction, paths: str) -> dict[tuple[Scope, str], Values]:
    """What a framework passes for a function's first parameters, where no annotation says it: comma-separated paths of the rulebook."""
    scope = function.scope
    parameters = scope.function.parameters[1 if function.receiver is not None else 0 :]
    pairs = zip(paths.split(",") if paths else (), parameters, strict=False)
    return {(scope, p.name): frozenset({Api(path, Site(scope.file, scope.function.at))}) for path, p in pairs if p.annotation is None}


def _when(matcher: Matcher, when: str, place: CallPlace) -> object:
    """A hook's time, which may be an argument: `arg:event_type|0`."""
    return matcher.constant(port(place.call, when[4:]), place) if when.startswith("arg:") else when


def _functions(matcher: Matcher, expr: ir.Expr | None, place: CallPlace) -> Iterator[UserFunction]:
    """A function, or those of a list."""
    for value in matcher.evaluator.values(expr, matcher.program.generic(place.scope)):
        listed = matcher.evaluator.element(value, None) if isinstance(value, Container) else (value,)
        yield from (v for v in listed if isinstance(v, UserFunction))
