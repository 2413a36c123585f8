"""Takes matches of applications, routers and mounts, gives under which prefixes, and in which application, a router's routes are served.

Everything that carries routes is a `Node`: an application, a router, a namespace, a `Mount(...)`, even a single `Route(...)` in a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from triton_migrate.entries.texts import texts
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.resolve.values import Api, Container, Instance, Site, Tuples, Unknown, UserClass, Value
from triton_migrate.rulebook.vocabulary import WebApp, WebMount, WebRouter

NESTED = 4  # lists in lists of routes


@dataclass(frozen=True, slots=True)
class Node:
    """An object that routes are put on, by the library class it is of and where it was made."""

    path: str
    site: Site | None


@dataclass(frozen=True, slots=True)
class Prefix:
    """One way from a node to an application; `app` is None when only the caller of the program's function knows which."""

    text: str
    app: WebApp | None
    registered: bool


@dataclass(frozen=True, slots=True)
class _Mount:
    parent: Node | None  # None: an object that nothing is known of
    prefix: str | None
    overrides: bool


class Attachments:
    """What hangs on what; filled once."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self._mounts: dict[Node, list[_Mount]] = {}
        for match in matcher.find(WebMount, inherited=True):
            self._mounted(match)
        for app in matcher.find(WebApp, inherited=True):
            self._listed(app, app.rule.routes)
        for router in matcher.find(WebRouter, inherited=True):
            self._listed(router, router.rule.routes)
        self._on_unknown()

    # ------------------------------------------------------------ nodes

    def node(self, value: Value) -> Node | None:
        """What a value is as something that carries routes."""
        if isinstance(value, Instance):
            for base in self.evaluator.mro(value.of):
                if isinstance(base, Api) and (self.rulebook.find(base.path, WebApp) or self.rulebook.find(base.path, WebRouter)):
                    return Node(self.rulebook.canonical(f"{base.path}()"), value.site)
        if isinstance(value, Api) and value.path.endswith("()"):
            return Node(value.path, value.made)
        return None

    def result(self, match: Match[WebApp] | Match[WebRouter] | Match[WebMount]) -> Node:
        return Node(self.rulebook.canonical(f"{match.api.path}()"), match.site)

    def nodes(self, expr: ir.Expr | None, frame: Frame, depth: int = 0) -> Iterator[Node]:
        """The nodes an expression is, or that are in the lists it is."""
        if expr is None or depth > NESTED:
            return
        if isinstance(expr, ir.Operation) and expr.operands:
            for part in expr.operands:
                yield from self.nodes(part, frame, depth + 1)
        for value in self.evaluator.values(expr, frame):
            yield from self._within(value, depth)

    def _within(self, value: Value, depth: int) -> Iterator[Node]:
        if isinstance(value, Container) and depth <= NESTED:
            for inner in self.evaluator.element(value, None):
                yield from self._within(inner, depth + 1)
            for place in (*self.matcher.program.calls("append"), *self.matcher.program.calls("extend")):
                grown = place.call.func.value if isinstance(place.call.func, ir.Attribute) else None
                frame = self.matcher.program.generic(place.scope)
                if place.call.args and value in self.evaluator.values(grown, frame):
                    yield from self.nodes(place.call.args[0], frame, depth + 1)
        elif isinstance(value, Tuples):
            for part in value.parts:
                for inner in part:
                    yield from self._within(inner, depth + 1)
        elif (node := self.node(value)) is not None:
            yield node

    # ------------------------------------------------------------ mounts

    def _mounted(self, match: Match[WebMount]) -> None:
        rule, call = match.rule, match.place.call
        frame = self.matcher.program.generic(match.place.scope)
        ends = {"self": self.node(match.receiver), "result": self.result(match)}
        parents = [ends[rule.parent]] if rule.parent in ends else list(self.nodes(port(call, rule.parent), frame))
        children = [ends[rule.child]] if rule.child in ends else list(self.nodes(port(call, rule.child), frame))
        for parent in parents:
            for child in children:
                if parent is not None and child is not None:
                    self._add(rule, match.place, parent, child)

    def _add(self, rule: WebMount, place: CallPlace, parent: Node | None, child: Node) -> None:
        given = texts(self.evaluator, port(place.call, rule.prefix), self.matcher.program.generic(place.scope)) if rule.prefix else ()
        for prefix in given or (None,):
            mount = _Mount(parent, prefix, rule.overrides)
            known = self._mounts.setdefault(child, [])
            if mount not in known:
                known.append(mount)

    def _listed(self, match: Match[WebApp] | Match[WebRouter], routes: str) -> None:
        if not routes:
            return
        for child in self.nodes(port(match.place.call, routes), self.matcher.program.generic(match.place.scope)):
            self._mounts.setdefault(child, []).append(_Mount(self.result(match), None, False))

    def _on_unknown(self) -> None:
        """`app.include_router(router)` where nothing is known of `app`: served by whoever passes it."""
        rules = [r for library in self.rulebook.libraries for r in library.rules if isinstance(r, WebMount)]
        methods = [(api.rpartition(".")[2], rule) for rule in rules if rule.parent == "self" for api in rule.api if "()." in api]
        for name, rule in sorted(set(methods), key=lambda m: (m[0], m[1].origin)):
            for place in self.matcher.program.calls(name):
                frame = self.matcher.program.generic(place.scope)
                if not isinstance(place.call.func, ir.Attribute) or not unknown(self.evaluator.values(place.call.func, frame)):
                    continue
                for child in self.nodes(port(place.call, rule.child), frame):
                    if child not in self._mounts and self._rule(child) is not None:
                        self._add(rule, place, None, child)

    # ------------------------------------------------------------ prefixes

    def framework(self, node: Node) -> str:
        rule = self._rule(node)
        return rule.framework if rule else node.path.partition(".")[0]

    def prefixes(self, node: Node, seen: tuple[Node, ...] = ()) -> tuple[Prefix, ...]:
        """Every way from the node to an application; the last resort is the node by itself."""
        if node in seen:
            return ()
        rule = self._rule(node)
        owned = self._own(node, rule)
        found: list[Prefix] = []
        for mount in self._mounts.get(node, ()):
            parents = self.prefixes(mount.parent, (*seen, node)) if mount.parent is not None else (Prefix("", None, True),)
            for parent in parents:
                for own in owned:
                    here = mount.prefix if mount.overrides and mount.prefix is not None else joined(mount.prefix or "", own)
                    found.append(Prefix(joined(parent.text, here), _answering(parent.app, rule), parent.registered))
        if any(p.registered for p in found) or (found and not isinstance(rule, WebApp)):
            return tuple(dict.fromkeys(found))
        app = rule if isinstance(rule, WebApp) else None
        return tuple(Prefix(own, app, app is not None) for own in owned)

    def _rule(self, node: Node) -> WebApp | WebRouter | None:
        """The rule of the class the node was made of (an alias may have led elsewhere), else of the class it is known as."""
        place = self.matcher.program.call_at(node.site)
        if place is not None:
            for value in self.evaluator.values(place.call.func, self.matcher.program.generic(place.scope)):
                bases = self.evaluator.mro(value) if isinstance(value, UserClass) else (value,)
                for base in bases:
                    if isinstance(base, Api) and (rule := self._class_rule(base.path)):
                        return rule
        return self._class_rule(node.path.removesuffix("()"))

    def _class_rule(self, path: str) -> WebApp | WebRouter | None:
        return self.rulebook.find(path, WebApp) or self.rulebook.find(path, WebRouter)

    def _own(self, node: Node, rule: WebApp | WebRouter | None) -> tuple[str, ...]:
        place = self.matcher.program.call_at(node.site)
        if rule is None or place is None:
            return ("",)
        frame = self.matcher.program.generic(place.scope)
        given = texts(self.evaluator, port(place.call, rule.prefix), frame) if rule.prefix else ()
        if not given and isinstance(rule, WebRouter) and rule.name:
            given = tuple(f"/{name}" for name in texts(self.evaluator, port(place.call, rule.name), frame))
        return given or ("",)


def _answering(app: WebApp | None, router: WebApp | WebRouter | None) -> WebApp | None:
    """The application as routes of this router see it: Flask-RESTful answers a plain string with JSON."""
    text = router.text if isinstance(router, WebRouter) else ""
    return replace(app, text=text) if app is not None and text else app


def joined(prefix: str, path: str) -> str:
    """`/api/` + `/x` and `/api` + `/x` are `/api/x`."""
    return prefix.rstrip("/") + path if path.startswith("/") or not path else prefix + path


def unknown(values: frozenset[Value]) -> bool:
    """Whether nothing at all is known of what has these values."""
    return not values or all(isinstance(v, Unknown) for v in values)
