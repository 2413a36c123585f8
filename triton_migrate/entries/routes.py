"""Takes matches of routes, gives `Entry`s with their full paths: which functions the outside world reaches, where, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triton_migrate.entries.attachments import Attachments, Node, Prefix, joined, unknown
from triton_migrate.entries.handlers import Handlers
from triton_migrate.entries.parameters import declared_inputs, parsed_inputs
from triton_migrate.entries.records import Entry
from triton_migrate.entries.startup import lifespan_arguments
from triton_migrate.entries.texts import texts
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher, is_test, last_of
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, Site, Values
from triton_migrate.rulebook.vocabulary import WebApp, WebRoute


class Routes:
    """Finds all HTTP routes of a program."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.attachments, self.handlers = Attachments(matcher), Handlers(matcher)

    def entries(self) -> tuple[Entry, ...]:
        """One entry per handler and path; its methods together, in the order of the source."""
        self.evaluator.assume(lifespan_arguments(self.matcher) | self._requests())
        found: dict[tuple[str, int, str], Entry] = {}
        for entry in (*self._registered(), *self._on_unknown()):
            key = (entry.file, entry.line, entry.path)
            if key in found:
                entry = replace(entry, methods=tuple(dict.fromkeys((*found[key].methods, *entry.methods))))
            found[key] = entry
        return tuple(sorted(found.values(), key=lambda e: (e.file, e.line, e.path)))

    def _requests(self) -> dict[tuple[Scope, str], Values]:
        """What handlers get as their first parameter when nothing says it (Starlette's `async def f(request)`)."""
        found: dict[tuple[Scope, str], Values] = {}
        for match in self.matcher.find(WebRoute):
            for handler, _ in self.handlers.of(match.rule, match.place) if match.rule.request else ():
                parameters = handler.scope.function.parameters[1 if handler.receiver is not None else 0 :]
                if parameters and parameters[0].annotation is None:
                    found[handler.scope, parameters[0].name] = frozenset(
                        {Api(match.rule.request, Site(handler.scope.file, handler.scope.function.at))}
                    )
        return found

    def _registered(self) -> Iterator[Entry]:
        for match in self.matcher.find(WebRoute):
            if is_test(match.place.scope.file):
                continue
            node = self._node(match)
            prefixes = self.attachments.prefixes(node) if node else (Prefix("", None, True),)
            framework = self.attachments.framework(node) if node else match.api.path.partition(".")[0]
            yield from self._entries(match.rule, match.place, framework, prefixes)

    def _node(self, match: Match[WebRoute]) -> Node | None:
        """What the route is registered on: its receiver, or, for `Route("/x", f)`, the object itself that a list then holds."""
        if match.receiver.path.endswith("()"):
            return self.attachments.node(match.receiver)
        if match.rule.handler == "decorated":
            return None
        return Node(self.rulebook.canonical(f"{match.api.path}()"), match.site)

    def _entries(self, rule: WebRoute, place: CallPlace, framework: str, prefixes: tuple[Prefix, ...]) -> Iterator[Entry]:
        for handler, methods in self.handlers.of(rule, place):
            for path in self._paths(rule, place):
                for prefix in prefixes:
                    if prefix.registered:
                        whole = joined(prefix.text, path)
                        inputs = declared_inputs(self.evaluator, handler, whole, prefix.app) + parsed_inputs(self.evaluator, handler)
                        served_by = prefix.app.framework if prefix.app else framework
                        yield Entry(served_by, methods, whole or "/", handler, True, inputs, prefix.app)

    def _paths(self, rule: WebRoute, place: CallPlace) -> tuple[str, ...]:
        if rule.path.startswith("*"):
            exprs: tuple[ir.Expr | None, ...] = place.call.args[int(rule.path[1:] or 0) :]
        else:
            exprs = (port(place.call, rule.path),)
        frame = self.matcher.program.generic(place.scope)
        return tuple(t for e in exprs for t in texts(self.evaluator, e, frame))

    def _on_unknown(self) -> Iterator[Entry]:
        """`@app.post("/x")` in a function that gets `app` from who knows where: by the framework the program uses."""
        apps: tuple[WebApp, ...] = tuple(dict.fromkeys(m.rule for m in self.matcher.find(WebApp, inherited=True)))
        for app in apps[:1]:
            rules = {last_of(n): r for n, r in self._decorators() if any(n.startswith(f"{p}().") for p in app.api)}
            for name, rule in sorted(rules.items()):
                for place in self.matcher.program.calls(name):
                    func, frame = place.call.func, self.matcher.program.generic(place.scope)
                    if place.decorates is None or not isinstance(func, ir.Attribute) or is_test(place.scope.file):
                        continue
                    rooted = any(p.startswith("/") for p in self._paths(rule, place))
                    if rooted and unknown(self.evaluator.values(func, frame)):
                        yield from self._entries(rule, place, app.framework, (Prefix("", app, True),))

    def _decorators(self) -> Iterator[tuple[str, WebRoute]]:
        for library in self.rulebook.libraries:
            for rule in library.rules:
                if isinstance(rule, WebRoute) and rule.handler == "decorated":
                    yield from ((api, rule) for api in rule.api)
