"""Takes matches of application classes, gives `Application`s: what a WSGI or ASGI server would be told to run."""

from __future__ import annotations

from triton_migrate.entries.records import Application
from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Instance, Site
from triton_migrate.rulebook.vocabulary import WebApp


def applications(matcher: Matcher) -> tuple[Application, ...]:
    """Applications that can be served, the most likely one first: module-level names, then factories."""
    found: dict[str, Application] = {}
    for match in matcher.find(WebApp, inherited=True):
        site = Site(match.place.scope.file, match.place.call.at)
        named = _module_names(matcher, match, site) or _factories(matcher, match)
        for target, factory in named:
            span = matcher.program.span(match.place.scope, match.place.call.at)
            script = span.file if _prepared_by_hand(matcher, match.place.scope.module) else ""
            found.setdefault(target, Application(match.rule.framework, span, target, match.rule.server, factory, match.rule, script))
    return tuple(sorted(found.values(), key=lambda a: (a.factory, a.target.count("."), a.target)))


def _module_names(matcher: Matcher, match: Match[WebApp], site: Site) -> list[tuple[str, bool]]:
    """Module-level names bound to this application (`app = Flask(__name__)`, `app = create_app()`)."""
    names = []
    made = matcher.rulebook.canonical(f"{match.api.path}()")
    for path, frame in matcher.program.frames.items():
        for name, bindings in frame.scope.bindings.items():
            assigned = [b for b in bindings if b.how == "value" and isinstance(b.expr, ir.Call)]
            if any(
                (isinstance(v, Api) and v.site == site and v.path == made) or (isinstance(v, Instance) and v.site == site)
                for b in assigned
                for v in matcher.evaluator.binding(b, frame)
            ):
                names.append((f"{matcher.program.module_name(path)}:{name}", False))
    return names


def _factories(matcher: Matcher, match: Match[WebApp]) -> list[tuple[str, bool]]:
    scope: Scope = match.place.scope
    if scope.kind != "function" or scope.parent is None or scope.parent.kind != "module":
        return []
    if any(p.default is None and p.kind in ("positional", "keyword") for p in scope.function.parameters):
        return []
    return [(f"{matcher.program.module_name(scope.file)}:{scope.name}", True)]


def _prepared_by_hand(matcher: Matcher, module: Scope) -> bool:
    """Whether the part under `if __name__ == "__main__"` sets what functions read, or calls a function of the application's own."""
    main = [inner for stmt in module.body if isinstance(stmt, ir.If) and flow.is_main(stmt) for inner in stmt.body]
    frame = matcher.program.frames[module.file]
    calls = (e for stmt in flow.flatten(tuple(main)) for e in flow.own(stmt) if isinstance(e, ir.Call))
    if any(matcher.evaluator.callables(value) for call in calls for value in matcher.evaluator.values(call.func, frame)):
        return True
    return bool(flow.binds(tuple(main)) & _read_in_functions(module))


def _read_in_functions(scope: Scope) -> set[str]:
    inner = set().union(*map(_read_in_functions, scope.children.values()))
    return inner | (flow.reads(scope.body) if scope.kind == "function" else set())
