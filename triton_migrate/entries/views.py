"""Takes a call that puts a whole class of views on an application, gives the paths of its methods: the class and their names say them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triton_migrate.entries.handlers import Handled, Handlers, object_of
from triton_migrate.entries.texts import texts
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.values import Container, Literal, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebAction, WebClass

WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])")  # where `HTTPQuoteTags` is cut: http-quote-tags
UNBOUND = ("builtins.property", "builtins.classmethod", "builtins.staticmethod")


class Views:
    """Routes of registered classes, each as its path below what the class is put on and the method that answers."""

    def __init__(self, matcher: Matcher, handlers: Handlers) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.handlers = handlers

    def routes(self, match: Match[WebClass]) -> Iterator[tuple[str, Handled]]:
        func, frame = match.place.call.func, self.matcher.program.generic(match.place.scope)
        classes = self.evaluator.values(func.value, frame) if isinstance(func, ir.Attribute) else frozenset()
        for cls in sorted((c for c in classes if isinstance(c, UserClass)), key=str):
            rule = match.rule
            word = WORD.sub("-", cls.scope.name.removesuffix(rule.ending)).lower()
            prefix = next((v for v in self._said(match, cls, rule.prefix) if isinstance(v, str)), "")
            base = next((v for v in self._said(match, cls, rule.base) if isinstance(v, str)), word)
            for function in self._public(cls, rule):
                for behind, handled in self._method(match, cls, base, function):
                    whole = f"/{prefix}/{base}".rstrip("/") + behind
                    yield re.sub("/+", "/", whole) or "/", handled

    def _method(self, match: Match[WebClass], cls: UserClass, base: str, function: UserFunction) -> Iterator[tuple[str, Handled]]:
        rule, name = match.rule, function.scope.name
        routed = tuple(self._routed(function))
        if routed:
            yield from routed
            return
        slash = "" if False in self._said(match, cls, rule.slash) else "/"
        named = dict(told.split() for told in rule.verbs).get(name)
        word = name.replace("_", "-") if True in self._said(match, cls, rule.dashes) else name
        variables = "/".join(self._variables(rule, base, function))
        methods = (named,) if named else self._limits(function) or ("GET",)
        path = f"/{'' if named else word}/{variables}"
        yield path.rstrip("/") + slash, Handled(function, methods)

    def _public(self, cls: UserClass, rule: WebClass) -> Iterator[UserFunction]:
        """Methods that are no one's own business, the class's before those of its bases."""
        excluded = {inner.value for v in self._attribute(cls, rule.excluded) for inner in self._inner(v) if isinstance(inner, Literal)}
        bases = (b for b in self.evaluator.mro(cls) if isinstance(b, UserClass))
        functions = [s.function for b in bases for s in b.scope.definition.body if isinstance(s, ir.Define)]
        for name in dict.fromkeys(f.name for f in functions):
            for value in self.evaluator.class_attribute(cls, name, object_of(cls)):
                hidden = name in excluded or name.startswith(rule.hidden)
                if isinstance(value, UserFunction) and not hidden:
                    function = value.scope.function
                    if not self.evaluator.decorated(function, self.matcher.program.generic(value.scope), *UNBOUND):
                        yield value

    def _routed(self, function: UserFunction) -> Iterator[tuple[str, Handled]]:
        """A method whose decorators say its paths; each may tell its methods."""
        frame = self.matcher.program.generic(function.scope).parent
        for decorator in function.scope.function.decorators:
            for api in self.evaluator.apis(decorator.func, frame) if isinstance(decorator, ir.Call) and frame is not None else ():
                rule = self.rulebook.find(api.path, WebAction)
                if rule is not None and isinstance(decorator, ir.Call) and frame is not None:
                    methods = self.handlers.verbs.named(port(decorator, rule.methods), frame) or ("GET",)
                    yield from (
                        (f"/{path}", Handled(function, methods)) for path in texts(self.evaluator, port(decorator, rule.path), frame)
                    )

    def _limits(self, function: UserFunction) -> tuple[str, ...]:
        frame = self.matcher.program.generic(function.scope).parent
        limits = (self.handlers.verbs.limits(d, frame) for d in function.scope.function.decorators if frame is not None)
        return tuple(dict.fromkeys(m for found in limits if found is not None for m in found[1]))

    def _variables(self, rule: WebClass, base: str, function: UserFunction) -> Iterator[str]:
        """The parameters that a caller must give, unless the class's own path has them."""
        types = dict(told.split("=") for told in rule.types)
        for parameter in function.scope.function.parameters[1:]:
            if parameter.kind == "positional" and parameter.default is None and not re.search(rf"[<:]{parameter.name}>", base):
                apis = self.evaluator.apis(parameter.annotation, function.frame) if parameter.annotation is not None else ()
                kind = next((types[a.path] for a in apis if a.path in types), "")
                yield rule.variable.replace("{type}", kind).replace("{name}", parameter.name)

    def _said(self, match: Match[WebClass], cls: UserClass, setting: str) -> tuple[object, ...]:
        """What the registration says about a setting, else the class's attribute of that name."""
        given = port(match.place.call, setting)
        frame = self.matcher.program.generic(match.place.scope)
        values = self.evaluator.values(given, frame) if given is not None else self._attribute(cls, setting.partition("|")[0])
        return tuple(sorted((v.value for v in values if isinstance(v, Literal)), key=str))

    def _attribute(self, cls: UserClass, name: str) -> frozenset[Value]:
        return self.evaluator.class_attribute(cls, name, None) if name else frozenset()

    def _inner(self, value: Value) -> frozenset[Value]:
        return self.evaluator.element(value, None) if isinstance(value, Container) else frozenset()
