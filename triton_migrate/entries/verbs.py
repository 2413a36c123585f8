"""Takes a handler, gives its HTTP methods where the registration is silent: what its decorators allow, or what it tells apart itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Container, Literal, UserFunction
from triton_migrate.rulebook.vocabulary import WebMethods, WebRequest

Methods: TypeAlias = tuple[str, ...]
BODIES = ("json", "form", "file", "raw-body")


class Verbs:
    """Answers which methods a handler has."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook

    def named(self, expr: ir.Expr | None, frame: Frame) -> Methods | None:
        """The methods an expression names, one or a list; None for none, or for every one."""
        listed = expr.items if isinstance(expr, ir.Sequence) else (expr,)
        values = [value for item in listed for value in self.evaluator.values(item, frame)]
        found = [v for value in values for v in (self.evaluator.element(value, None) if isinstance(value, Container) else (value,))]
        texts = sorted(v.value.upper() for v in found if isinstance(v, Literal) and isinstance(v.value, str))
        return None if "*" in texts else tuple(dict.fromkeys(texts)) or None

    def limits(self, decorator: ir.Expr, frame: Frame) -> tuple[WebMethods, Methods] | None:
        """What a decorator, or a call that wraps a handler, allows."""
        call = decorator if isinstance(decorator, ir.Call) else None
        for api in self.evaluator.apis(call.func if call else decorator, frame):
            if rule := self.rulebook.find(api.path, WebMethods):
                given = self.named(port(call, rule.methods), frame) if call and rule.methods else None
                return rule, given or rule.default
        return None

    def decorated(self, handler: UserFunction) -> tuple[WebMethods, Methods] | None:
        outer = self.matcher.program.generic(handler.scope).parent
        limits = (self.limits(d, outer) for d in handler.scope.function.decorators) if outer is not None else ()
        return next((found for found in limits if found is not None), None)

    def told_apart(self, handler: UserFunction) -> Methods:
        """Of a handler that gets every request: the methods it compares the request's own with, else what it reads says."""
        frame = self.matcher.program.generic(handler.scope)
        compared: set[str] = set()
        other = True
        bodies = False
        for expr in _expressions(handler.scope.function.body):
            match expr:
                case ir.Operation(_, "Eq" | "NotEq" | "In" | "NotIn" as operator, (left, right)):
                    if self._source(left, frame) == "method":
                        compared |= set(self.named(right, frame) or ())
                        other = other and operator in ("Eq", "In")
                case ir.Attribute():
                    bodies = bodies or self._source(expr, frame) in BODIES
        if compared:
            return tuple(sorted(compared | ({"GET"} if other else set())))
        return ("POST",) if bodies else ("GET",)

    def _source(self, expr: ir.Expr, frame: Frame) -> str:
        rules = (self.rulebook.find(a.path, WebRequest) for a in self.evaluator.apis(expr, frame))
        return next((r.source for r in rules if r is not None), "")


def _expressions(node: object) -> Iterator[ir.Expr]:
    """Every operation and attribute in statements, nested functions left out."""
    if isinstance(node, (ir.Operation, ir.Attribute)):
        yield node
    if isinstance(node, tuple) and not isinstance(node, (ir.Define, ir.DefineClass, ir.Lambda)):
        for part in node:
            yield from _expressions(part)
