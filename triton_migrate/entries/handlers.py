"""Takes a match of a route, gives the functions that answer it, each with its HTTP methods: plain ones, views, resources, partials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Site, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebRoute, WebView

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
Methods: TypeAlias = tuple[str, ...]


class Handlers:
    """Resolves what a route registers."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook

    def of(self, rule: WebRoute, place: CallPlace) -> Iterator[tuple[UserFunction, Methods]]:
        """Handlers with their methods, as the registration and the class say."""
        given = self._methods(rule, place)
        frame = self.matcher.program.generic(place.scope)
        if rule.handler != "decorated":
            values = self.evaluator.values(port(place.call, rule.handler), frame)
        elif isinstance(place.decorates, ir.Function):
            yield UserFunction(place.scope.children[id(place.decorates)], frame), given or rule.default
            return
        elif isinstance(place.decorates, ir.Class):
            values = frozenset({UserClass(place.scope.children[id(place.decorates)], frame)})
        else:
            values = self._applied(place)
        for value in sorted(values, key=str):
            yield from self._handlers(value, rule, given)

    def _applied(self, place: CallPlace) -> frozenset[Value]:
        """`app.route("/x")(handler)`: a decorator called by hand."""
        found: set[Value] = set()
        for outer in self.matcher.program.calls(_called(place.call)):
            if outer.call.func is place.call and outer.call.args:
                found |= self.evaluator.values(outer.call.args[0], self.matcher.program.generic(outer.scope))
        return frozenset(found)

    def _handlers(self, value: Value, rule: WebRoute, given: Methods | None) -> Iterator[tuple[UserFunction, Methods]]:
        if isinstance(value, UserClass):
            if rule.resource or self._view(value) is not None:
                yield from self._resource(value, given)
        elif isinstance(value, Api):
            for cls in self._adapted(value):
                yield from self._resource(cls, given)
        else:
            for function in self.evaluator.callables(value):
                yield function, given or rule.default

    def _adapted(self, adapter: Api) -> Iterator[UserClass]:
        """`View.as_view(...)` is made of View."""
        place = self.matcher.program.call_at(adapter.site)
        if place is None or not isinstance(place.call.func, ir.Attribute):
            return
        for value in self.evaluator.values(place.call.func.value, self.matcher.program.generic(place.scope)):
            if isinstance(value, UserClass) and (view := self._view(value)) and view.adapter == place.call.func.attr:
                yield value

    def _view(self, cls: UserClass) -> WebView | None:
        bases = (b for b in self.evaluator.mro(cls) if isinstance(b, Api))
        return next((r for b in bases if (r := self.rulebook.find(b.path, WebView))), None)

    def _resource(self, cls: UserClass, given: Methods | None) -> Iterator[tuple[UserFunction, Methods]]:
        instance = Instance(cls, Site(cls.scope.file, cls.scope.definition.at))
        view = self._view(cls)
        one = view.method if view else ""
        allowed = given or self._strings(self.evaluator.class_attribute(cls, "methods", None))
        for name in (one,) if one else VERBS:
            for value in self.evaluator.class_attribute(cls, name, instance):
                if isinstance(value, UserFunction) and (one or not allowed or name.upper() in allowed):
                    yield value, (allowed or ("GET",)) if one else (name.upper(),)

    def _methods(self, rule: WebRoute, place: CallPlace) -> Methods | None:
        if not rule.methods:
            return None
        return self._strings(self.evaluator.values(port(place.call, rule.methods), self.matcher.program.generic(place.scope)))

    def _strings(self, values: frozenset[Value]) -> Methods | None:
        found = [v for value in values for v in (self.evaluator.element(value, None) if isinstance(value, Container) else (value,))]
        named = sorted(v.value.upper() for v in found if isinstance(v, Literal) and isinstance(v.value, str))
        return tuple(dict.fromkeys(named)) or None


def _called(call: ir.Call) -> str:
    func = call.func
    while isinstance(func, ir.Call):
        func = func.func
    return func.attr if isinstance(func, ir.Attribute) else func.id if isinstance(func, ir.Name) else ""
