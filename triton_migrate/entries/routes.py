"""Takes matches of routes, gives `Entry`s with their full paths: which functions the outside world reaches, where, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triton_migrate.entries.attachments import Attachments, Prefix, joined, unknown
from triton_migrate.entries.handlers import Handled, Handlers
from triton_migrate.entries.loops import each_turn
from triton_migrate.entries.nodes import FUNCTION, Node
from triton_migrate.entries.parameters import declared_inputs, parsed_inputs
from triton_migrate.entries.passed import handed_on
from triton_migrate.entries.provided import provided
from triton_migrate.entries.records import Entry
from triton_migrate.entries.schemas import Schemas
from triton_migrate.entries.startup import first_arguments, lifespan_arguments, yielded_states
from triton_migrate.entries.texts import texts, unsaid, url_texts
from triton_migrate.entries.versions import version
from triton_migrate.entries.views import Views
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher, last_of
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import NOTHING, Api, Container, Instance, Site, UserClass, UserFunction, Values
from triton_migrate.rulebook.vocabulary import WebApp, WebClass, WebRoute, WebView

ALONE = (Prefix("", None, True),)


class Routes:
    """Finds all HTTP routes of a program.

    `entries` fills `unregistered`, those that no application serves, and `files`, where they are registered.
    """

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.attachments, self.handlers = Attachments(matcher), Handlers(matcher)
        self.schemas, self.classes = Schemas(self.evaluator), Views(matcher, self.handlers)
        self.unregistered: tuple[Entry, ...] = ()
        self.files: frozenset[str] = frozenset()
        self.provided = provided(self.matcher)

    def entries(self) -> tuple[Entry, ...]:
        """One entry per handler and path; its methods together, in the order of the source."""
        self.evaluator.assume(self._included(), {})  # routes are registered on it
        self.evaluator.assume(lifespan_arguments(self.matcher) | self._arguments(), yielded_states(self.matcher))
        found = _merged((*self._registered(), *self._attached(), *self._classes(), *self._on_unknown()))
        served = {e.handler.scope for e in found if e.registered}
        lost = tuple(e for e in found if not e.registered and e.handler.scope not in served)
        self.unregistered = (*lost, *self._never_routed(frozenset(e.handler.scope for e in found)))
        return tuple(e for e in found if e.registered)

    # ------------------------------------------------------------ what frameworks pass

    def _arguments(self) -> dict[tuple[Scope, str], Values]:
        """What handlers get first when nothing says it (Starlette's `async def f(request)`), and what a registration gives their class."""
        found: dict[tuple[Scope, str], Values] = {}
        for match in self._matches():
            for handled in self.handlers.of(match) if match.rule.request else ():
                limits = self.handlers.verbs.decorated(handled.function)
                found |= first_arguments(handled.function, (limits[0].request if limits is not None else "") or match.rule.request)
            if match.rule.arguments and port(match.place.call, match.rule.arguments) is not None:
                found |= self._given(match)
        for view in self.rulebook.of_role(WebView):
            found |= self._adapting(view)
            for cls in self.handlers.views(view) if view.request else ():
                for handled in self.handlers.answering(cls, None, None, None):
                    for function in handled.before or (handled.function,):
                        found |= first_arguments(function, view.request)
        return found

    def _included(self) -> dict[tuple[Scope, str], Values]:
        """The application that functions get by their name alone: `def includeme(config)`."""
        found: dict[tuple[Scope, str], Values] = {}
        for app in (a for a in self.rulebook.of_role(WebApp) if a.included):
            for frame in self.matcher.program.frames.values():
                named = self.evaluator.name(app.included, frame) if app.included in frame.scope.bindings else ()
                for function in (v for v in named if isinstance(v, UserFunction)):
                    found |= first_arguments(function, f"{app.api[0]}()")
        return found

    def _given(self, match: Match[WebRoute]) -> dict[tuple[Scope, str], Values]:
        """`add_resource(Predict, "/x", resource_class_kwargs={"model": model})`: arguments of the class's constructor or `setup`."""
        frame = self.matcher.program.generic(match.place.scope)
        found: dict[tuple[Scope, str], Values] = {}
        for handled in self.handlers.of(match):
            cls = _class_of(handled.function, self.matcher)
            view = self.handlers.view(cls) if cls is not None else None
            setup = view.setup if view is not None else "__init__"
            functions = self.evaluator.class_attribute(cls, setup, None) if cls is not None else frozenset()
            for given in self.evaluator.values(port(match.place.call, match.rule.arguments), frame):
                for function in functions if isinstance(given, Container) else ():
                    if isinstance(function, UserFunction):
                        names = [p.name for p in function.scope.function.parameters[1:]]
                        found |= {(function.scope, n): v for n in names if (v := self.evaluator.element(given, n))}
        return found

    def _adapting(self, view: WebView) -> dict[tuple[Scope, str], Values]:
        """`Predict.as_view("predict", model)`: what follows the name are arguments of the class's constructor."""
        found: dict[tuple[Scope, str], Values] = {}
        for place in self.matcher.program.calls(view.adapter) if view.adapter else ():
            call, frame = place.call, self.matcher.program.generic(place.scope)
            classes = self.evaluator.values(call.func.value, frame) if isinstance(call.func, ir.Attribute) else frozenset()
            for cls in (c for c in classes if isinstance(c, UserClass) and self.handlers.view(c) == view):
                for function in self.evaluator.class_attribute(cls, view.setup, None):
                    if isinstance(function, UserFunction):
                        names = [p.name for p in function.scope.function.parameters[1:]]
                        given = (*zip(names, call.args[1:], strict=False), *((k, v) for k, v in call.keywords if k in names))
                        found |= {(function.scope, n): self.evaluator.values(v, frame) for n, v in given if n is not None}
        return found

    # ------------------------------------------------------------ registrations

    def _matches(self) -> tuple[Match[WebRoute], ...]:
        found = (*self.matcher.find(WebRoute), *self.attachments.nodes.tuples.values())
        meant = (m for m in found if not self.matcher.program.is_test(m.place.scope.file) and self.attachments.meant(m))
        matches = tuple(m for match in each_turn(self.matcher, meant, WebRoute) for m in handed_on(self.matcher, match))
        self.files = frozenset(m.place.scope.file for m in matches)
        return matches

    def _registered(self) -> Iterator[Entry]:
        for match in self._matches():
            node = self._node(match)
            prefixes = self.attachments.prefixes(node) if node else ALONE
            framework = (self.attachments.framework(node) if node else "") or match.api.path.partition(".")[0]
            yield from self._entries(match, framework, prefixes)

    def _node(self, match: Match[WebRoute]) -> Node | None:
        """What the route is registered on: its receiver; for `Route("/x", f)` and for decorators without one, what a list then holds."""
        place, nodes = match.place, self.attachments.nodes
        if match.receiver.path.endswith("()"):
            return nodes.node(match.receiver)
        if match.rule.handler != "decorated":
            return Node(self.rulebook.canonical(f"{match.api.path}()"), match.site)
        if isinstance(place.decorates, ir.Class):
            return self._class(place.scope.children[id(place.decorates)])
        if isinstance(place.decorates, ir.Function):
            if place.scope.kind == "class":
                return self._class(place.scope)
            return Node(FUNCTION, Site(place.scope.file, place.decorates.at))
        return None

    def _class(self, scope: Scope) -> Node | None:
        assert scope.parent is not None
        return self.attachments.of_class(UserClass(scope, self.matcher.program.generic(scope.parent)))

    def _entries(self, match: Match[WebRoute], framework: str, prefixes: tuple[Prefix, ...]) -> Iterator[Entry]:
        paths = self._paths(match.rule, match.place)
        frame = self.matcher.program.generic(match.place.scope)
        told = version(self.evaluator, match.rule, match.place.call, frame)
        wraps = self.evaluator.values(port(match.place.call, match.rule.response), frame) if match.rule.response else NOTHING
        for handled in self.handlers.of(match):
            name = handled.function.scope.name
            named = "/" if name in match.rule.index else match.rule.fallback.replace("{name}", name)
            for path in paths or self._constructed(handled) or ((named,) if named or not match.rule.path else self._unsaid(match)):
                for prefix in prefixes:
                    nearest = replace(prefix, version=told.within(prefix.version))
                    entry = self._entry(handled, joined(prefix.text, joined(match.rule.below, path)), framework, nearest)
                    yield replace(entry, answers=wraps)

    def _unsaid(self, match: Match[WebRoute]) -> tuple[str, ...]:
        """A path that is given, and that only the run knows."""
        given = port(match.place.call, match.rule.path)
        return (unsaid(given),) if given is not None else ()

    def _constructed(self, handled: Handled) -> tuple[str, ...]:
        """`Clouds(api_path="/x")`: the paths that an object was made with."""
        made = handled.function.receiver
        view = self.handlers.view(made.of) if isinstance(made, Instance) and isinstance(made.of, UserClass) else None
        place = self.matcher.program.call_at(made.site) if isinstance(made, Instance) else None
        if view is None or not view.path or place is None:
            return ()
        return texts(self.evaluator, port(place.call, view.path), self.matcher.program.generic(place.scope))

    def _entry(self, handled: Handled, path: str, framework: str, prefix: Prefix) -> Entry:
        whole = prefix.version.front + rooted(joined(path, handled.suffix))
        if prefix.app is not None and not prefix.app.slash:
            whole = whole.rstrip("/") or "/"
        handler = handled.function
        inputs = declared_inputs(self.evaluator, handler, whole, prefix.app, self.provided) + parsed_inputs(self.evaluator, handler)
        inputs += self.schemas.inputs(handler)
        served_by = prefix.app.framework if prefix.app else framework
        return Entry(served_by, handled.methods, whole, handler, prefix.registered, inputs, prefix.app, handled.before, handled.after)

    def _paths(self, rule: WebRoute, place: CallPlace) -> tuple[str, ...]:
        if rule.path.startswith("*"):
            exprs: tuple[ir.Expr | None, ...] = place.call.args[int(rule.path[1:] or 0) :]
        else:
            exprs = (port(place.call, rule.path),)
        frame = self.matcher.program.generic(place.scope)
        return tuple(t for e in exprs for t in url_texts(self.evaluator, e, frame, rule.regex))

    def _attached(self) -> Iterator[Entry]:
        """`class V(View, attach=app, uri="/x")`: a view whose definition says where it is served."""
        for view in self.rulebook.of_role(WebView):
            for cls in self.handlers.views(view) if view.attach else ():
                given = dict(cls.scope.definition.keywords)
                for node in self.attachments.nodes.within(given.get(view.attach), cls.frame):
                    for prefix in self.attachments.prefixes(node):
                        for path in texts(self.evaluator, given.get(view.uri), cls.frame):
                            for handled in self.handlers.answering(cls, None, None, None):
                                yield self._entry(handled, joined(prefix.text, path), self.attachments.framework(node), prefix)

    def _classes(self) -> Iterator[Entry]:
        """`QuotesView.register(app)`: a class whose public methods all are routes."""
        for match in self.matcher.find(WebClass):
            place = match.place
            if self.matcher.program.is_test(place.scope.file):
                continue
            self.files |= {place.scope.file}
            nodes = tuple(self.attachments.nodes.within(port(place.call, match.rule.parent), self.matcher.program.generic(place.scope)))
            prefixes = [(p, self.attachments.framework(n)) for n in nodes for p in self.attachments.prefixes(n)]
            for prefix, framework in prefixes or [(ALONE[0], match.api.path.partition(".")[0])]:
                for path, handled in self.classes.routes(match):
                    yield self._entry(handled, joined(prefix.text, path), framework, prefix)

    def _never_routed(self, known: frozenset[Scope]) -> Iterator[Entry]:
        """Views that no route leads to; they have no path."""
        for view in self.rulebook.of_role(WebView):
            for cls in self.handlers.views(view):
                answering = tuple(self.handlers.answering(cls, None, None, None))
                if self.matcher.program.is_test(cls.scope.file) or any(h.function.scope in known for h in answering):
                    continue
                framework = view.api[0].partition(".")[0]
                yield from (Entry(framework, h.methods, "", h.function, False, (), None) for h in answering)

    def _on_unknown(self) -> Iterator[Entry]:
        """`@app.post("/x")` in a function that gets `app` from who knows where: by the framework the program uses."""
        apps: tuple[WebApp, ...] = tuple(dict.fromkeys(m.rule for m in self.matcher.find(WebApp, inherited=True)))
        for app in apps[:1]:
            rules = {last_of(n): (n, r) for n, r in self._decorators() if any(n.startswith(f"{p}().") for p in app.api)}
            for name, (api, rule) in sorted(rules.items()):
                for place in self.matcher.program.calls(name):
                    func, frame = place.call.func, self.matcher.program.generic(place.scope)
                    if place.decorates is None or not isinstance(func, ir.Attribute) or self.matcher.program.is_test(place.scope.file):
                        continue
                    rooted_path = any(p.startswith("/") for p in self._paths(rule, place))
                    if rooted_path and unknown(self.evaluator.values(func, frame)):
                        yield from self._entries(Match(rule, Api(api), place), app.framework, (Prefix("", app, True),))

    def _decorators(self) -> Iterator[tuple[str, WebRoute]]:
        for library in self.rulebook.libraries:
            for rule in library.rules:
                if isinstance(rule, WebRoute) and rule.handler == "decorated":
                    yield from ((api, rule) for api in rule.api)


def rooted(path: str) -> str:
    """A path from the root; one that begins with something unknown (`{PREFIX}/x`) stays as it is."""
    return path if path.startswith(("/", "{")) else f"/{path}"


def _merged(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    found: dict[tuple[str, int, str, bool], Entry] = {}
    for entry in entries:
        key = (entry.file, entry.line, entry.path, entry.registered)
        if key in found:
            entry = replace(entry, methods=tuple(dict.fromkeys((*found[key].methods, *entry.methods))))
        found[key] = entry
    return tuple(sorted(found.values(), key=lambda e: (e.file, e.line, e.path)))


def _class_of(function: UserFunction, matcher: Matcher) -> UserClass | None:
    owner = function.scope.owner
    return UserClass(owner, matcher.program.generic(owner.parent)) if owner is not None and owner.parent is not None else None
