"""Takes calls that hand a function on (to a thread, a partial, a queue), gives the call of it that they make, as if written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame, last_name
from triton_migrate.resolve.values import Container, Partial, UserFunction
from triton_migrate.rulebook.vocabulary import FlowBind, FlowCall, TaskEnqueue

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

Rule: TypeAlias = FlowBind | FlowCall | TaskEnqueue


class Handing:
    """Answers for one program. A call that was made up lives as long as the program: its parts are asked about by identity."""

    def __init__(self, ev: Evaluator) -> None:
        self.ev = ev
        self._direct: dict[tuple[int, str], ir.Call] = {}
        self._mapped: dict[tuple[int, int], ir.Mapping] = {}
        self._listed: dict[int, ir.Sequence] = {}
        self._by_name: dict[str, list[CallPlace]] | None = None
        self._rules: dict[str, tuple[str, ...]] = {}
        for library in ev.rulebook.libraries:
            for rule in library.rules:
                if isinstance(rule, (FlowBind, FlowCall, TaskEnqueue)) and (_of_receiver(rule) or not _function(rule).startswith("self")):
                    for name in {path.rstrip("()[]").rpartition(".")[2] for path in rule.api}:
                        self._rules[name] = tuple(dict.fromkeys((*self._rules.get(name, ()), _function(rule))))

    def direct(self, rule: Rule, call: ir.Call, frame: Frame) -> ir.Call:
        """`f.delay(x)`, `Thread(target=f, args=(x,))`, `partial(f, x)` as `f(x)`."""
        key = id(call), rule.origin
        if key not in self._direct:
            inner = _handed(call, _function(rule)) if _of_receiver(rule) else port(call, _function(rule))
            args = call.args[rule.first :] if rule.first >= 0 else ()
            keywords = tuple((k, v) for k, v in call.keywords if v is not inner) if rule.first >= 0 else ()
            if isinstance(rule, FlowCall) and rule.each:
                args, keywords = tuple(ir.Subscript(a.at, a, ir.Constant(a.at, None)) for a in args), ()
            if isinstance(rule, TaskEnqueue):
                keywords = tuple((k, v) for k, v in keywords if k not in rule.own)
                given = self._displayed(port(call, rule.args), frame) if rule.args else None
                named = self._displayed(port(call, rule.kwargs), frame) if rule.kwargs else None
                args = given.items if isinstance(given, ir.Sequence) else args
                keywords = tuple(_pairs(named)) if isinstance(named, ir.Mapping) else keywords
            self._direct[key] = ir.Call(call.at, call.func if inner is None else inner, args, keywords)
        return self._direct[key]

    def bound(self, rule: FlowBind, call: ir.Call, frame: Frame) -> ir.Call:
        """`partial(f, x)` as `f(x)`; `Factory(Service, net=net)` as `Service(net=net())`, where `net` is such a provider itself."""
        given = self.direct(rule, call, frame)
        if not rule.injects:
            return given
        key = id(call), f"{rule.origin} injected"
        if key not in self._direct:
            args, keywords = (self._provided(a, frame) for a in given.args), ((k, self._provided(v, frame)) for k, v in given.keywords)
            self._direct[key] = ir.Call(given.at, given.func, tuple(args), tuple(keywords))
        return self._direct[key]

    def _provided(self, expr: ir.Expr, frame: Frame) -> ir.Expr:
        provides = any(isinstance(value, Partial) for value in self.ev.values(expr, frame))
        return ir.Call(expr.at, expr, (), ()) if provides else expr

    def plain(self, function: ir.Expr) -> ir.Call:
        """The call of a function without arguments: what a field's `default_factory` gives."""
        return self._direct.setdefault((id(function), "()"), ir.Call(function.at, function, (), ()))

    def of_object(self, call: ir.Call, method: str) -> ir.Call:
        """`Row.objects.create(x=y)` as a call of a method of what the arguments and the receiver make."""
        key = id(call), f".{method}"
        if key not in self._direct:
            receiver = (call.func.value,) if isinstance(call.func, ir.Attribute) else ()
            made = ir.Sequence(call.at, "tuple", (*receiver, *call.args, *(v for _, v in call.keywords)))
            self._direct[key] = ir.Call(call.at, ir.Attribute(call.at, made, method), (), ())
        return self._direct[key]

    def mapped(self, call: ir.Call, further: tuple[tuple[str | None, ir.Expr], ...]) -> ir.Mapping:
        """The keywords of a call that a `**more` gets, as the dict that it is."""
        key = id(call), len(further)
        if key not in self._mapped:
            names = tuple(ir.Constant(call.at, name) for name, _ in further)
            self._mapped[key] = ir.Mapping(call.at, names, tuple(value for _, value in further))
        return self._mapped[key]

    def shown(self, call: ir.Call, pair: tuple[ir.Expr, ir.Expr]) -> ir.Mapping:
        """A dict that a call makes, any key of which has the value of the pair."""
        return self._mapped.setdefault((id(call), -1), ir.Mapping(call.at, (ir.Constant(call.at, None),), pair[1:]))

    def listed(self, call: ir.Call) -> ir.Sequence:
        """`list(x)` as `[*x]`."""
        return self._listed.setdefault(id(call), ir.Sequence(call.at, "list", (ir.Starred(call.at, call.args[0]),)))

    def in_steps(self, rule: FlowCall, call: ir.Call, frame: Frame) -> ir.Call | None:
        """`wrapper.predict(x, top=3)` as `wrapper.after(wrapper.run(wrapper.before(x), top=3))`, of those that the program wrote."""
        key = id(call), rule.origin
        if key not in self._direct and isinstance(call.func, ir.Attribute):
            args, more, keywords = call.args[:1], call.args[1:], call.keywords
            for i, step in enumerate(rule.steps):
                made = ir.Attribute(call.at, call.func.value, step)
                if any(isinstance(v, UserFunction) for v in self.ev.values(self.ev.kept(made), frame)):
                    args = (ir.Call(call.at, made, (*args, *more) if i == 1 else args, keywords if i == 1 else ()),)
            if args and isinstance(args[0], ir.Call) and args != call.args[:1]:
                self._direct[key] = args[0]
        return self._direct.get(key)

    def of(self, name: str) -> Iterator[CallPlace]:
        """The calls of something named `name` that handing it on makes."""
        if self._by_name is None:
            self._by_name = {}
            for caller, functions in self._rules.items():
                for place in self.ev.program.calls(caller):
                    for handed in dict.fromkeys(_named(place.call, f) for f in functions):
                        self._by_name.setdefault(handed, []).append(place)
        for place in self._by_name.get(name, ()):
            frame = self.ev.program.generic(place.scope)
            for api in self.ev.apis(place.call.func, frame):
                for rule in self.ev.rulebook.rules_for(api.called):
                    if isinstance(rule, (FlowBind, FlowCall, TaskEnqueue)) and _named(place.call, _function(rule)) == name:
                        call = self.bound(rule, place.call, frame) if isinstance(rule, FlowBind) else self.direct(rule, place.call, frame)
                        yield CallPlace(call, place.scope, None)

    def _displayed(self, expr: ir.Expr | None, frame: Frame) -> ir.Expr | None:
        """The list or dict that is written out where `expr` comes from, when that is this very function."""
        if expr is None or isinstance(expr, (ir.Sequence, ir.Mapping)):
            return expr
        shown = [v.expr for v in self.ev.values(expr, frame) if isinstance(v, Container) and v.frame.scope is frame.scope]
        return shown[0] if len(shown) == 1 else None


def _function(rule: Rule) -> str:
    return rule.callee if isinstance(rule, TaskEnqueue) else rule.function


def _of_receiver(rule: Rule) -> bool:
    """Whether what is called is the call's receiver: `Model.bind(path)`, `handle.predict.remote(x)`."""
    return isinstance(rule, FlowCall) and rule.function == "self" and not rule.given and not rule.method and not rule.steps


def _handed(call: ir.Call, function: str) -> ir.Expr | None:
    """The function that is handed on, as it is written there."""
    if function == "self":
        return call.func.value if isinstance(call.func, ir.Attribute) else None
    return port(call, function)


def _named(call: ir.Call, function: str) -> str:
    """What the function that is handed on is called there; empty for none."""
    inner = _handed(call, function)
    return last_name(inner) if inner is not None else ""


def _pairs(mapping: ir.Mapping) -> Iterator[tuple[str | None, ir.Expr]]:
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        if isinstance(key, ir.Constant) and isinstance(key.value, str):
            yield key.value, value
