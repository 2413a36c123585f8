"""Takes a match of a route, gives the functions that answer it, each with its HTTP methods: plain ones, views, resources, partials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.entries.loops import each_turn, turns
from triton_migrate.entries.verbs import Methods, Verbs
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve import parameters
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Site, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebAction, WebEndpoint, WebRoute, WebView

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
WRAPPED = 4  # calls around a handler


@dataclass(frozen=True, slots=True)
class Handled:
    """A function that answers, the methods it answers, and what its path has behind the registered one."""

    function: UserFunction
    methods: Methods
    suffix: str = ""
    before: tuple[UserFunction, ...] = ()
    after: tuple[UserFunction, ...] = ()


class Handlers:
    """Resolves what a route registers."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.verbs = Verbs(matcher)

    def of(self, match: Match[WebRoute]) -> Iterator[Handled]:
        """Handlers with their methods, as the registration, the handler's decorators and the class say."""
        rule, place = match.rule, match.place
        frame = self.matcher.program.generic(place.scope)
        given = self.verbs.named(port(place.call, rule.methods), frame) if rule.methods else None
        values = self._values(match, frame)
        if rule.endpoint and not any(isinstance(v, (UserFunction, UserClass, Instance)) for v in values):
            yield from self._elsewhere(match, given, frame)
        listed = {inner for v in values if isinstance(v, Container) for inner in self.evaluator.element(v, None)}
        for value in sorted(listed | values, key=str):
            yield from self._handlers(value, rule, given, place)

    def views(self, rule: WebView) -> Iterator[UserClass]:
        """The program's classes under a base class of views."""
        for name in sorted({path.rpartition(".")[2] for path in rule.api}):
            for scope in self.matcher.program.subclasses(name):
                assert scope.parent is not None
                cls = UserClass(scope, self.matcher.program.generic(scope.parent))
                if self.view(cls) is rule:
                    yield cls

    def view(self, cls: UserClass) -> WebView | None:
        bases = (b for b in self.evaluator.mro(cls) if isinstance(b, Api))
        return next((r for b in bases if (r := self.rulebook.find(b.path, WebView))), None)

    # ------------------------------------------------------------ what is registered

    def _values(self, match: Match[WebRoute], frame: Frame) -> frozenset[Value]:
        rule, place = match.rule, match.place
        if rule.handler == "self":
            func = place.call.func
            return self.evaluator.values(func.value, frame) if isinstance(func, ir.Attribute) else frozenset()
        if rule.handler != "decorated":
            given = port(place.call, rule.handler)
            given = None if isinstance(given, ir.Constant) and given.value is None else given
            return self._by_name(match, frame) if given is None and rule.endpoint else self.evaluator.values(given, frame)
        if isinstance(place.decorates, ir.Function):
            return frozenset({self._decorated(place.scope, place.decorates, frame)})
        if isinstance(place.decorates, ir.Class):
            return frozenset({UserClass(place.scope.children[id(place.decorates)], frame)})
        return self._applied(place)

    def _decorated(self, scope: Scope, function: ir.Function, frame: Frame) -> UserFunction:
        """The decorated function; a method's object is the one that the program makes, else one that the framework does."""
        found = UserFunction(scope.children[id(function)], frame)
        if scope.kind != "class" or scope.parent is None or self.evaluator.decorated(function, frame, "builtins.staticmethod"):
            return found
        cls = UserClass(scope, self.matcher.program.generic(scope.parent))
        made = [v for v in parameters.made(self.evaluator, cls) if isinstance(v, Instance)]
        return UserFunction(found.scope, frame, made[0] if len(made) == 1 else object_of(cls))

    def _applied(self, place: CallPlace) -> frozenset[Value]:
        """`app.route("/x")(handler)`: a decorator called by hand."""
        found: set[Value] = set()
        for outer in self.matcher.program.calls(_called(place.call)):
            if outer.scope is place.scope and outer.call.func.at == place.call.at and outer.call.args:
                same = [turn for turn in turns(self.evaluator, outer) or (outer,) if turn.call.func == place.call]
                found |= {v for turn in same for v in self.evaluator.values(turn.call.args[0], self.matcher.program.generic(outer.scope))}
        return frozenset(found)

    def _by_name(self, match: Match[WebRoute], frame: Frame) -> frozenset[Value]:
        """A handler given elsewhere under the name that the route says."""
        name = self.evaluator.constant(port(match.place.call, match.rule.endpoint), frame)
        if not isinstance(name, str):
            return frozenset()
        held = self.evaluator.attribute(match.receiver, match.rule.endpoints) if match.rule.endpoints else frozenset()
        return frozenset(v for h in held for v in self.evaluator.element(h, name))

    def _elsewhere(self, match: Match[WebRoute], given: Methods | None, frame: Frame) -> Iterator[Handled]:
        """The handlers that say themselves which route they answer, each with the methods it is told there."""
        name = self.evaluator.constant(port(match.place.call, match.rule.endpoint), frame)
        for named in each_turn(self.matcher, self.matcher.find(WebEndpoint), WebEndpoint) if isinstance(name, str) else ():
            if self.matcher.constant(port(named.place.call, named.rule.name), named.place) == name:
                outer = self.matcher.program.generic(named.place.scope)
                own = self.verbs.named(port(named.place.call, named.rule.methods), outer) if named.rule.methods else None
                for value in sorted(self._named(named, outer), key=str):
                    if isinstance(value, UserClass) and self.view(value) is None:
                        method = self.matcher.constant(port(named.place.call, named.rule.method), named.place) or "__call__"
                        functions = self._methods(value, str(method), object_of(value))
                        yield from (Handled(f, own or given or self.verbs.told_apart(f)) for f in functions)
                    else:
                        yield from self._handlers(value, match.rule, own or given, match.place)

    def _named(self, named: Match[WebEndpoint], frame: Frame) -> frozenset[Value]:
        place = named.place
        if named.rule.handler != "decorated":
            return self.evaluator.values(port(place.call, named.rule.handler), frame)
        if isinstance(place.decorates, ir.Class):
            return frozenset({UserClass(place.scope.children[id(place.decorates)], frame)})
        return frozenset({self._decorated(place.scope, place.decorates, frame)}) if place.decorates is not None else frozenset()

    # ------------------------------------------------------------ who answers

    def _handlers(self, value: Value, rule: WebRoute, given: Methods | None, place: CallPlace, depth: int = 0) -> Iterator[Handled]:
        view = self.view(value) if isinstance(value, UserClass) else self.view(value.of) if isinstance(value, Instance) else None
        if isinstance(value, UserClass) and (rule.resource or view is not None):
            yield from self.answering(value, given, rule, place)
        elif isinstance(value, Instance) and (rule.resource or view is not None):
            yield from self.answering(value.of, given, rule, place, value)
        elif isinstance(value, Api):
            yield from self._made(value, rule, given, place, depth)
        else:
            for function in self.evaluator.callables(value):
                limits = self.verbs.decorated(function)
                told = limits[1] if limits is not None else ()
                yield Handled(function, given or told or rule.default or self.verbs.told_apart(function))

    def _made(self, made: Api, rule: WebRoute, given: Methods | None, place: CallPlace, depth: int) -> Iterator[Handled]:
        """`View.as_view(...)` is made of View, `login_required(handler)` of a handler."""
        by = self.matcher.program.call_at(made.site)
        if by is None or depth > WRAPPED:
            return
        frame = self.matcher.program.generic(by.scope)
        adapter = by.call.func.attr if isinstance(by.call.func, ir.Attribute) else ""
        for value in self.evaluator.values(by.call.func.value, frame) if isinstance(by.call.func, ir.Attribute) else ():
            if isinstance(value, UserClass) and (view := self.view(value) or self._said(rule, adapter)) and view.adapter == adapter:
                yield from self._adapted(value, view, by, given, rule, place)
                return
        limits = self.verbs.limits(by.call, frame)
        for value in self.evaluator.values(by.call.args[0], frame) if by.call.args and made.path.endswith("()") else ():
            if isinstance(value, (UserFunction, UserClass)) or (isinstance(value, Api) and value.site != made.site):
                yield from self._handlers(value, rule, limits[1] if limits else given, place, depth + 1)

    def _said(self, rule: WebRoute, adapter: str) -> WebView | None:
        """What a class is whose base nothing is known of: the view that the adapter belongs to."""
        library = self.rulebook.library_of(rule.api[0])
        rules = library.rules if library is not None else ()
        return next((r for r in rules if isinstance(r, WebView) and r.adapter == adapter and not r.method), None)

    def _adapted(
        self, cls: UserClass, view: WebView, by: CallPlace, given: Methods | None, rule: WebRoute, place: CallPlace
    ) -> Iterator[Handled]:
        """An adapted view answers with its verbs, or with the methods that the adapter is told."""
        frame = self.matcher.program.generic(by.scope)
        given_by = self.evaluator.values(port(by.call, view.mapping), frame) if view.mapping else frozenset()
        mappings = [v for v in given_by if isinstance(v, Container)]
        if not mappings:
            yield from self.answering(cls, given, rule, place)
        instance = object_of(cls)
        for mapping in mappings:
            for key, value in zip(mapping.expr.keys, mapping.expr.values, strict=True) if isinstance(mapping.expr, ir.Mapping) else ():
                verb, name = self.evaluator.constant(key, mapping.frame), self.evaluator.constant(value, mapping.frame)
                if isinstance(verb, str) and isinstance(name, str):
                    yield from (Handled(f, (verb.upper(),)) for f in self._methods(cls, name, instance))

    def answering(
        self, cls: UserClass, given: Methods | None, rule: WebRoute | None, place: CallPlace | None, instance: Instance | None = None
    ) -> Iterator[Handled]:
        """The methods of a class that answer requests."""
        instance = instance or object_of(cls)
        view = self.view(cls)
        one = (view.method if view else "") or (rule.verbs if rule and "*" not in rule.verbs else "")
        allowed = given or self._listed(cls, view.allowed if view else "methods")
        if one:
            methods = allowed or (rule.default if rule else ()) or ("GET",)
            around = [tuple(self._methods(cls, n, instance)) if view and n else () for n in (view.before, view.after)] if view else [(), ()]
            yield from (Handled(f, methods, "", *around) for f in self._methods(cls, one, instance))
            return
        suffix = self._suffix(rule, place)
        for verb in VERBS:
            name = (rule.verbs if rule else "*").replace("*", verb) + suffix
            if not allowed or verb.upper() in allowed:
                yield from (Handled(f, (verb.upper(),)) for f in self._methods(cls, name, instance))
        told = [(action, "") for action in (view.actions if view else ())] + [(action, suffix) for action in (rule.actions if rule else ())]
        for action, ending in told:
            name, method, *behind = action.split()
            yield from (Handled(f, (method,), "".join(behind)) for f in self._methods(cls, name + ending, instance))
        if view is not None and view.item:
            yield from self._actions(cls, view, instance)

    def _actions(self, cls: UserClass, view: WebView, instance: Instance) -> Iterator[Handled]:
        """Methods that a decorator makes routes of their own below the class's."""
        for base in (b for b in self.evaluator.mro(cls) if isinstance(b, UserClass)):
            frame = self.evaluator.class_frame(base)
            for stmt in base.scope.definition.body:
                for decorator in stmt.function.decorators if isinstance(stmt, ir.Define) else ():
                    call = decorator if isinstance(decorator, ir.Call) else ir.Call(decorator.at, decorator, (), ())
                    for api in self.evaluator.apis(call.func, frame):
                        if (rule := self.rulebook.find(api.path, WebAction)) and isinstance(stmt, ir.Define):
                            path = self.evaluator.constant(port(call, rule.path), frame) if rule.path else None
                            one = self.evaluator.constant(port(call, rule.item), frame) if rule.item else None
                            behind = f"{view.item if one is True else ''}/{path if isinstance(path, str) else stmt.function.name}/"
                            methods = self.verbs.named(port(call, rule.methods), frame) or ("GET",)
                            yield from (Handled(f, methods, behind) for f in self._methods(cls, stmt.function.name, instance))

    def _methods(self, cls: UserClass, name: str, instance: Instance) -> Iterator[UserFunction]:
        values = self.evaluator.class_attribute(cls, name, instance)
        yield from (v for v in values if isinstance(v, UserFunction) and v.scope.owner is not None)

    def _listed(self, cls: UserClass, attribute: str) -> Methods | None:
        found = {m for v in self.evaluator.class_attribute(cls, attribute, None) for m in self._texts(v)}
        return tuple(sorted(found)) or None

    def _texts(self, value: Value) -> Iterator[str]:
        for inner in self.evaluator.element(value, None) if isinstance(value, Container) else (value,):
            if isinstance(inner, Literal) and isinstance(inner.value, str):
                yield inner.value.upper()

    def _suffix(self, rule: WebRoute | None, place: CallPlace | None) -> str:
        given = self.matcher.constant(port(place.call, rule.suffix), place) if rule and place and rule.suffix else None
        return f"_{given}" if isinstance(given, str) else ""


def object_of(cls: UserClass) -> Instance:
    """The object of a class that only the framework makes."""
    return Instance(cls, Site(cls.scope.file, cls.scope.definition.at))


def _called(call: ir.Call) -> str:
    func = call.func
    while isinstance(func, ir.Call):
        func = func.func
    return func.attr if isinstance(func, ir.Attribute) else func.id if isinstance(func, ir.Name) else ""
