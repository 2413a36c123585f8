"""Takes matches of applications, routers and mounts, gives under which prefixes, and in which application, a router's routes are served."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triton_migrate.entries.cloned import cloned
from triton_migrate.entries.handed import Handed
from triton_migrate.entries.loops import each_turn
from triton_migrate.entries.nodes import CLASS, Node, Nodes
from triton_migrate.entries.rebinding import Rebinding
from triton_migrate.entries.texts import texts, url_texts
from triton_migrate.entries.versions import UNVERSIONED, Version, version
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api, Unknown, UserClass, Value
from triton_migrate.rulebook.vocabulary import WebApp, WebMount, WebRoute, WebRouter, WebView


@dataclass(frozen=True, slots=True)
class Prefix:
    """One way from a node to an application; `app` is None when only the caller of the program's function knows which."""

    text: str
    app: WebApp | None
    registered: bool
    version: Version = UNVERSIONED


@dataclass(frozen=True, slots=True)
class _Mount:
    parent: Node | None  # None: an object that nothing is known of
    prefix: str | None
    overrides: bool
    version: Version = UNVERSIONED


class Attachments:
    """What hangs on what; filled once."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.nodes, self.rebinding = Nodes(matcher), Rebinding(matcher.evaluator)
        self.handed = Handed(matcher, self.nodes)
        self._mounts: dict[Node, list[_Mount]] = {}
        self._decorated: dict[Node, WebApp] = {}
        self._classes: dict[Node, UserClass] = {}
        for match in each_turn(matcher, matcher.find(WebMount, inherited=True), WebMount):
            self._mounted(match)
        for app in matcher.find(WebApp, inherited=True):
            self._listed(app, app.rule.routes, app.rule.tuples)
            if isinstance(app.place.decorates, ir.Class):
                self._decorated[self.nodes.result(app)] = app.rule
        for router in matcher.find(WebRouter, inherited=True):
            self._listed(router, router.rule.routes, "")
        for file, node in self.nodes.lists.items():
            rule = self._rule(node)
            for child in self.nodes.listed(rule.lists, file) if isinstance(rule, WebApp) else ():
                self._put(child, _Mount(node, None, False))
        self._on_unknown()
        for parent, child in cloned(matcher, self.nodes, self._mounts.keys()):
            self._put(child, _Mount(parent, None, False))
        for app in matcher.find(WebApp, inherited=True):
            if app.rule.tuples and not self._carries(self.nodes.result(app)):
                self._gathered(app)

    # ------------------------------------------------------------ mounts

    def _mounted(self, match: Match[WebMount]) -> None:
        rule = match.rule
        for parent in self._ends(match, rule.parent):
            for child in self._ends(match, rule.child):
                self._add(rule, match.place, parent, child)

    def _ends(self, match: Match[WebMount], end: str) -> tuple[Node, ...]:
        """What a mount's parent or child is; an application may hold a list of children, plain tuples among them."""
        call, frame = match.place.call, self.matcher.program.generic(match.place.scope)
        if end == "self":
            node = self.nodes.node(match.receiver)
            return (node,) if node is not None and self.meant(match) else ()
        if end == "result":
            return (Node(self.rulebook.canonical(f"{match.api.path}()"), match.site),)
        exprs = call.args[int(end[1:] or 0) :] if end.startswith("*") else (port(call, end),)
        holder = self._class_rule(match.receiver.path.removesuffix("()"))
        tuples = holder.tuples if isinstance(holder, WebApp) else ""
        found = ((e, n) for e in exprs for n in self.nodes.within(e, frame, tuples))
        return tuple(dict.fromkeys(n for e, n in found if self.rebinding.means(e, n.site, match.place)))

    def meant(self, match: Match[WebMount] | Match[WebRoute]) -> bool:
        """Whether the receiver's name means this object where the call stands."""
        func = match.place.call.func
        return self.rebinding.means(func.value if isinstance(func, ir.Attribute) else None, match.receiver.site, match.place)

    def _add(self, rule: WebMount, place: CallPlace, parent: Node | None, child: Node) -> None:
        frame = self.matcher.program.generic(place.scope)
        given = url_texts(self.evaluator, port(place.call, rule.prefix), frame, rule.regex) if rule.prefix else ()
        told = version(self.evaluator, rule, place.call, frame)
        for prefix in given or (None,):
            below = joined(rule.below, prefix) if prefix is not None else None
            self._put(child, _Mount(parent, below, rule.overrides, told))

    def _put(self, child: Node, mount: _Mount) -> None:
        for passed in self.handed.behind(child):
            self._put(passed, mount)
        known = self._mounts.setdefault(child, [])
        if mount not in known:
            known.append(mount)

    def _listed(self, match: Match[WebApp] | Match[WebRouter], routes: str, tuples: str) -> None:
        if not routes:
            return
        for child in self.nodes.within(port(match.place.call, routes), self.matcher.program.generic(match.place.scope), tuples):
            self._put(child, _Mount(self.nodes.result(match), None, False))

    def _carries(self, app: Node) -> bool:
        return any(mount.parent == app for mounts in self._mounts.values() for mount in mounts)

    def _gathered(self, app: Match[WebApp]) -> None:
        """Where an application's routes cannot be followed (`__import__(name).handlers`): the lists of modules that nothing else serves."""
        for file, frame in self.matcher.program.frames.items():
            for name, bindings in frame.scope.bindings.items():
                if any(_holds_tuples(b.expr) for b in bindings if b.how == "value"):
                    for child in self.nodes.listed(name, file, app.rule.tuples):
                        if child not in self._mounts:
                            self._put(child, _Mount(self.nodes.result(app), None, False))

    def _on_unknown(self) -> None:
        """`app.include_router(router)` where nothing is known of `app`: served by whoever passes it."""
        rules = list(self.rulebook.of_role(WebMount))
        methods = [(api.rpartition(".")[2], rule) for rule in rules if rule.parent == "self" for api in rule.api if "()." in api]
        for name, rule in sorted(set(methods), key=lambda m: (m[0], m[1].origin)):
            for place in self.matcher.program.calls(name):
                frame = self.matcher.program.generic(place.scope)
                if not isinstance(place.call.func, ir.Attribute) or not unknown(self.evaluator.values(place.call.func, frame)):
                    continue
                for child in self.nodes.within(port(place.call, rule.child), frame):
                    if child not in self._mounts and self._rule(child) is not None:
                        self._add(rule, place, None, child)

    # ------------------------------------------------------------ prefixes

    def framework(self, node: Node) -> str:
        rule = self._rule(node)
        return rule.framework if rule else ""

    def prefixes(self, node: Node, seen: tuple[Node, ...] = ()) -> tuple[Prefix, ...]:
        """Every way from the node to an application; the last resort is the node by itself."""
        if node in seen:
            return ()
        if passed := self.handed.behind(node):
            return tuple(dict.fromkeys(p for n in passed for p in self.prefixes(n, (*seen, node))))
        rule = self._rule(node)
        owned, told = self._own(node, rule), self._version(node, rule)
        found: list[Prefix] = []
        for mount in self._mounts.get(node, ()):
            parents = self.prefixes(mount.parent, (*seen, node)) if mount.parent is not None else (Prefix("", None, True),)
            for parent in parents:
                for own in owned:
                    here = mount.prefix if mount.overrides and mount.prefix is not None else joined(mount.prefix or "", own)
                    nearest = mount.version.within(told).within(parent.version)
                    found.append(Prefix(joined(parent.text, here), _answering(parent.app, rule), parent.registered, nearest))
        if any(p.registered for p in found) or (found and not isinstance(rule, WebApp)):
            return tuple(dict.fromkeys(found))
        app = rule if isinstance(rule, WebApp) else None
        return tuple(Prefix(own, app, app is not None and not self._left_out(node), told) for own in owned)

    def _left_out(self, node: Node) -> bool:
        """A module's list of routes that the one which is served does not take in."""
        listed = next((file for file, other in self.nodes.lists.items() if other == node), None) if self.nodes.roots else None
        return listed is not None and node not in self.nodes.roots and not self.nodes.alone(listed)

    def _rule(self, node: Node) -> WebApp | WebRouter | None:
        """The rule of the class the node was made of (an alias may have led elsewhere), else of the class it is known as."""
        if node in self._decorated:
            return self._decorated[node]
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
        if node.path == CLASS:
            return self._of_class(node)
        place = self.matcher.program.call_at(node.site)
        if rule is None or place is None:
            return ("",)
        frame = self.matcher.program.generic(place.scope)
        given = texts(self.evaluator, port(place.call, rule.prefix), frame) if rule.prefix else ()
        if not given and isinstance(rule, WebRouter) and rule.name:
            given = tuple(f"/{name}" for name in texts(self.evaluator, port(place.call, rule.name), frame))
        return given or ("",)

    def _version(self, node: Node, rule: WebApp | WebRouter | None) -> Version:
        place = self.matcher.program.call_at(node.site) if isinstance(rule, WebRouter) and rule.version else None
        if place is None or not isinstance(rule, WebRouter):
            return UNVERSIONED
        return version(self.evaluator, rule, place.call, self.matcher.program.generic(place.scope))

    def _of_class(self, node: Node) -> tuple[str, ...]:
        """The prefix that a view class says in one of its attributes."""
        cls = self._classes.get(node)
        bases = self.evaluator.mro(cls) if cls is not None else ()
        view = next((r for b in bases if isinstance(b, Api) and (r := self.rulebook.find(b.path, WebView))), None)
        if cls is None or view is None or not view.prefix:
            return ("",)
        found = [b for c in bases if isinstance(c, UserClass) for b in c.scope.bindings.get(view.prefix, ())]
        return texts(self.evaluator, found[0].expr, self.evaluator.class_frame(cls)) or ("",) if found else ("",)

    def of_class(self, cls: UserClass) -> Node:
        """The node of a class of the program."""
        node = self.nodes.node(cls)
        assert node is not None
        self._classes[node] = cls
        return node


def _answering(app: WebApp | None, router: WebApp | WebRouter | None) -> WebApp | None:
    """The application as routes of this router see it: a mounted one itself, and Flask-RESTful answers a plain string with JSON."""
    if isinstance(router, WebApp):
        return router
    text = router.text if isinstance(router, WebRouter) else ""
    return replace(app, text=text) if app is not None and text else app


def _holds_tuples(expr: ir.Expr | None) -> bool:
    return isinstance(expr, ir.Sequence) and any(isinstance(i, ir.Sequence) and i.kind == "tuple" for i in expr.items)


def joined(prefix: str, path: str) -> str:
    """`/api/` + `/x` and `/api` + `/x` are `/api/x`."""
    return prefix.rstrip("/") + path if path.startswith("/") else prefix + path


def unknown(values: frozenset[Value]) -> bool:
    """Whether nothing at all is known of what has these values."""
    return not values or all(isinstance(v, Unknown) for v in values)
