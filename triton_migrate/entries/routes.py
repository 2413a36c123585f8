"""Takes matches of routes and mounts, gives `Entry`s with their full paths: prefixes composed from router to app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.entries.parameters import declared_inputs
from triton_migrate.entries.records import Entry
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Site, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebApp, WebMount, WebRoute, WebRouter, WebView

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


@dataclass(frozen=True, slots=True)
class _Mount:
    parent: Api
    prefix: str | None
    overrides: bool


@dataclass(frozen=True, slots=True)
class _Prefix:
    """One way from a router to an application."""

    text: str
    app: WebApp | None
    registered: bool


class Routes:
    """Finds all HTTP routes of a program."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.mounts: dict[tuple[str, Site | None], list[_Mount]] = {}
        for match in matcher.find(WebMount):
            self._mount(match)

    def _mount(self, match: Match[WebMount]) -> None:
        place = match.place
        prefix = self.matcher.constant(port(place.call, match.rule.prefix), place) if match.rule.prefix else None
        mount = _Mount(match.receiver, prefix if isinstance(prefix, str) else None, match.rule.overrides)
        for child in self.evaluator.apis(port(place.call, match.rule.child), self.matcher.program.generic(place.scope)):
            known = self.mounts.setdefault((child.path, child.site), [])
            if mount not in known:
                known.append(mount)

    def entries(self) -> tuple[Entry, ...]:
        """One entry per handler and path; its methods together, in the order of the source."""
        found: dict[tuple[str, int, str], Entry] = {}
        for match in self.matcher.find(WebRoute):
            for entry in self._entries(match):
                key = (entry.file, entry.line, entry.path)
                if key in found:
                    methods = tuple(dict.fromkeys((*found[key].methods, *entry.methods)))
                    entry = Entry(entry.framework, methods, entry.path, entry.handler, entry.registered, entry.inputs, entry.app)
                found[key] = entry
        return tuple(sorted(found.values(), key=lambda e: (e.file, e.line, e.path)))

    def _entries(self, match: Match[WebRoute]) -> Iterator[Entry]:
        rule, place = match.rule, match.place
        framework = self._framework(match.receiver)
        for handler, methods in self._handlers(match):
            for path in self._paths(rule, place):
                for prefix in self._prefixes(match.receiver, ()):
                    if not prefix.registered:
                        continue
                    whole = prefix.text + path
                    inputs = declared_inputs(self.evaluator, handler, whole, prefix.app)
                    yield Entry(framework, methods, whole or "/", handler, True, inputs, prefix.app)

    def _framework(self, receiver: Api) -> str:
        cls = receiver.path.removesuffix("()")
        rule = self.rulebook.find(cls, WebApp) or self.rulebook.find(cls, WebRouter)
        return rule.framework if rule else cls.partition(".")[0]

    # ------------------------------------------------------------ handlers and paths

    def _handlers(self, match: Match[WebRoute]) -> Iterator[tuple[UserFunction, tuple[str, ...]]]:
        rule, place = match.rule, match.place
        frame = self.matcher.program.generic(place.scope)
        methods = self._methods(rule, place)
        if rule.handler == "decorated":
            node = place.decorates
            if isinstance(node, ir.Function):
                yield UserFunction(place.scope.children[id(node)], frame), methods
            elif isinstance(node, ir.Class):
                yield from self._resource(UserClass(place.scope.children[id(node)], frame), None)
            return
        for value in self.evaluator.values(port(place.call, rule.handler), frame):
            yield from self._handler(value, rule, methods if rule.methods and port(place.call, rule.methods) is not None else None)

    def _handler(self, value: Value, rule: WebRoute, methods: tuple[str, ...] | None) -> Iterator[tuple[UserFunction, tuple[str, ...]]]:
        if isinstance(value, UserFunction):
            yield value, methods or rule.default
        elif isinstance(value, UserClass) and rule.resource:
            yield from self._resource(value, methods)
        elif isinstance(value, Api) and isinstance(value.of, Instance):
            yield from self._view(value, methods)

    def _view(self, adapter: Api, methods: tuple[str, ...] | None) -> Iterator[tuple[UserFunction, tuple[str, ...]]]:
        """`View.as_view(...)`: the class's verbs, or the one method that answers all."""
        if isinstance(adapter.of, Instance):
            yield from self._resource(adapter.of.of, methods)

    def _resource(self, cls: UserClass, methods: tuple[str, ...] | None) -> Iterator[tuple[UserFunction, tuple[str, ...]]]:
        instance = Instance(cls, Site(cls.scope.file, cls.scope.definition.at))
        one = next((r.method for b in self.evaluator.mro(cls) if isinstance(b, Api) and (r := self.rulebook.find(b.path, WebView))), "")
        for name in (one,) if one else VERBS:
            for value in self.evaluator.class_attribute(cls, name, instance):
                if isinstance(value, UserFunction) and (methods is None or one or name.upper() in methods):
                    yield value, (methods or ("GET",)) if one else (name.upper(),)

    def _methods(self, rule: WebRoute, place: CallPlace) -> tuple[str, ...]:
        expr = port(place.call, rule.methods) if rule.methods else None
        frame = self.matcher.program.generic(place.scope)
        found: list[str] = []
        for value in self.evaluator.values(expr, frame):
            if isinstance(value, Container) and isinstance(value.expr, ir.Sequence):
                found += [str(c) for i in value.expr.items if (c := self.evaluator.constant(i, value.frame)) is not None]
            elif isinstance(value, Literal) and isinstance(value.value, str):
                found.append(value.value)
        return tuple(dict.fromkeys(m.upper() for m in found)) or rule.default

    def _paths(self, rule: WebRoute, place: CallPlace) -> tuple[str, ...]:
        frame = self.matcher.program.generic(place.scope)
        if rule.path.startswith("*"):
            exprs: tuple[ir.Expr | None, ...] = place.call.args[int(rule.path[1:] or 0) :]
        else:
            exprs = (port(place.call, rule.path),)
        found = [v.value for e in exprs for v in self.evaluator.values(e, frame) if isinstance(v, Literal) and isinstance(v.value, str)]
        return tuple(sorted(found))

    # ------------------------------------------------------------ prefixes

    def _prefixes(self, node: Api, seen: tuple[tuple[str, Site | None], ...]) -> tuple[_Prefix, ...]:
        key = (node.path, node.site)
        if key in seen:
            return ()
        cls = node.path.removesuffix("()")
        app, router = self.rulebook.find(cls, WebApp), self.rulebook.find(cls, WebRouter)
        own = self._own_prefix(node, app or router)
        found: list[_Prefix] = []
        for mount in self.mounts.get(key, ()):
            for parent in self._prefixes(mount.parent, (*seen, key)):
                here = mount.prefix if mount.overrides and mount.prefix is not None else (mount.prefix or "") + own
                found.append(_Prefix(parent.text.rstrip("/") + here, parent.app, parent.registered))
        if found:
            return tuple(dict.fromkeys(found))
        return (_Prefix(own, app, app is not None),)

    def _own_prefix(self, node: Api, rule: WebApp | WebRouter | None) -> str:
        place = self.matcher.made_by(node.site)
        if rule is None or not rule.prefix or place is None:
            return ""
        prefix = self.matcher.constant(port(place.call, rule.prefix), place)
        return prefix if isinstance(prefix, str) else ""
