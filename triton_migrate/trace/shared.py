"""What the walks of a program share: of an expression in a frame, what no walk changes, found out once for all of them.

A walk comes to the same code with other origins, and other entries come to it, too; what a name means there, what a call calls and with
which values, and what the rules say of it is the same each time. The evaluator has its last word on all that before the first walk
(what frameworks pass is assumed before), so the expression and the frame are all that an answer rests on. Both live as long as the
program, and their identity is the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from triton_migrate.base import Span
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.requests import fields_of
from triton_migrate.index import ir
from triton_migrate.index.flow import children
from triton_migrate.resolve.attributes import is_property
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.channels import Channel
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Instance, Module, Partial, Unknown, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import (
    ChannelPut,
    ChannelTake,
    Effect,
    FlowCall,
    ModelConfigure,
    ModelPredict,
    Rule,
    TaskEnqueue,
    WebRequest,
    WebResponse,
)
from triton_migrate.trace import guessed, suspects
from triton_migrate.trace.cells import Cells
from triton_migrate.trace.models import Models
from triton_migrate.trace.records import Break, Cell

Transports: TypeAlias = tuple[tuple[ChannelPut | ChannelTake, Channel], ...]

OPERATORS = {"MatMult": "__matmul__", "RShift": "__rshift__", "LShift": "__lshift__", "BitOr": "__or__"}  # what models are called by
READERS = frozenset({"get", "getlist", "pop", "get_all"})  # methods of a mapping that take the field's name first
ACTING = (ModelPredict, WebResponse, FlowCall, TaskEnqueue)  # rules that do more than say what a call is


class Entrance:
    """A function of the program with what it is given, and its frame then."""

    __slots__ = ("_frame", "function", "given", "method")

    def __init__(self, function: UserFunction, given: dict[str, Values]) -> None:
        self.function, self.given = function, given
        self.method = (function.scope, function.receiver.of.scope if isinstance(function.receiver, Instance) else None)
        self._frame: Frame | None = None

    def frame(self, evaluator: Evaluator) -> Frame:
        if self._frame is None:
            self._frame = evaluator.enter(self.function, self.given)
        return self._frame


@dataclass(frozen=True, slots=True)
class Entering:
    """A call that enters a function: which arguments its parameters get. `own` is the parameter that the receiver goes to."""

    entrance: Entrance
    own: str
    passed: tuple[tuple[str, ir.Expr], ...]
    rest: tuple[tuple[str, tuple[ir.Expr, ...]], ...]  # `*args` and `**more`
    missing: str  # the first parameter that gets nothing and has no default


@dataclass(frozen=True, slots=True)
class Callee:
    """One of the things that a call may call. `value` is what a library makes of an object of the program where only that can be called."""

    value: Value
    functions: tuple[UserFunction, ...]
    queue: str  # that a plain call puts the work on
    rules: tuple[Rule, ...]
    acting: tuple[Rule, ...]
    channels: Transports


@dataclass(frozen=True, slots=True)
class Place:
    """A call in a frame. `parts` are its arguments by identity, `sources` the parts of the request that it reads a field of."""

    span: Span
    parts: tuple[int, ...]
    asked: tuple[WebRequest, ...]
    sources: tuple[str, ...]
    callees: tuple[Callee, ...]
    unknown: Unknown | None  # all that is known of what it calls
    looks: bool  # as if it ran a model
    lost: Break | None  # why what looks so could not be followed
    changing: str  # whether a method changes its receiver: `surely` by rule, `perhaps` where nothing is known of it, else empty


@dataclass(frozen=True, slots=True)
class Reads:
    """What an expression depends on that calls nothing: names as far as they are local, and cells."""

    names: tuple[ir.Name, ...] = ()
    cells: tuple[Cell, ...] = ()


NONE, UNKNOWN = Reads(), Reads()


class Shared:
    """Answers for one program."""

    def __init__(self, evaluator: Evaluator, models: Models, queues: Queues) -> None:
        self.evaluator, self.rulebook, self.program = evaluator, evaluator.rulebook, evaluator.program
        evaluator.settle()
        self.models, self.queues, self.cells = models, queues, Cells(evaluator, models)
        self._reads: dict[tuple[int, int], Reads | None] = {}
        self._asked: dict[tuple[int, int], tuple[WebRequest, ...]] = {}
        self._sources: dict[tuple[int, int], tuple[str, ...]] = {}
        self._attributes: dict[tuple[int, str, int], tuple[Cell | Entrance, ...]] = {}
        self._operated: dict[tuple[int, str, int], tuple[tuple[Entrance, tuple[str, ...]], ...]] = {}
        self._known_rules: dict[str, tuple[tuple[Rule, ...], tuple[Rule, ...], bool]] = {}
        self._places: dict[tuple[int, int], Place] = {}
        self._callee: dict[tuple[Value, int, int], Callee] = {}
        self._entering: dict[tuple[UserFunction, int, int], Entering] = {}
        self._handed: dict[tuple[int, int], tuple[tuple[Entrance, tuple[str, ...]], ...]] = {}

    # ------------------------------------------------------------ expressions

    def reads(self, expr: ir.Expr, frame: Frame) -> Reads | None:
        """What an expression reads; None where only the walk tells: calls, what binds a name, parts of the request."""
        key = (id(expr), id(frame))
        found = self._reads.get(key, UNKNOWN)
        if found is UNKNOWN:
            found = self._reads[key] = self._found(expr, frame)
        return found

    def _found(self, expr: ir.Expr, frame: Frame) -> Reads | None:
        if isinstance(expr, (ir.Call, ir.Await, ir.Walrus, ir.Comprehension)):
            return None
        if isinstance(expr, ir.Lambda):
            return NONE
        names, held, whole = dict[str, ir.Name](), dict[Cell, None](), True
        for part in children(expr):
            if isinstance(part, ir.Name):
                names[part.id] = part
                whole = whole and part.id not in frame.scope.globals
            elif not isinstance(part, ir.Constant):
                read = self.reads(part, frame)
                whole = whole and read is not None
                for name in read.names if read is not None else ():
                    names[name.id] = name
                held.update(dict.fromkeys(read.cells if read is not None else ()))
        if not whole:
            return None
        match expr:
            case ir.Attribute(_, base, attr):
                met = self.attribute(base, attr, frame)
                cells = [cell for cell in met if isinstance(cell, Cell)]
                if len(cells) < len(met) or self.asked(expr, frame):
                    return None
                held.update(dict.fromkeys(cells))
            case ir.Subscript(_, base, _):
                if self.operated(base, "__getitem__", frame) or self.sources(base, frame):
                    return None
            case ir.Operation(_, operator, (left, _)) if method := OPERATORS.get(operator):
                if self.operated(left, method, frame):
                    return None
        return Reads(tuple(names.values()), tuple(held)) if names or held else NONE

    def asked(self, expr: ir.Expr, frame: Frame) -> tuple[WebRequest, ...]:
        """The rules by which an expression is the whole of a part of the request, or a call for one field."""
        key = (id(expr), id(frame))
        if (rules := self._asked.get(key)) is None:
            found = (self.rulebook.find(api.path, WebRequest) for api in self.evaluator.apis(expr, frame))
            rules = self._asked[key] = tuple(rule for rule in found if rule is not None)
        return rules

    def sources(self, base: ir.Expr, frame: Frame) -> tuple[str, ...]:
        """The parts of the request that its elements are fields of."""
        key = (id(base), id(frame))
        if (found := self._sources.get(key)) is None:
            sources = (fields_of(self.evaluator, api) for api in self.evaluator.apis(base, frame))
            found = self._sources[key] = tuple(source for source in sources if source)
        return found

    def attribute(self, base: ir.Expr, attr: str, frame: Frame) -> tuple[Cell | Entrance, ...]:
        """The cells that an attribute of `base` may be, and the properties that reading it runs."""
        key = (id(base), attr, id(frame))
        if (found := self._attributes.get(key)) is None:
            found = self._attributes[key] = tuple(self._met(base, attr, frame))
        return found

    def _met(self, base: ir.Expr, attr: str, frame: Frame) -> Iterator[Cell | Entrance]:
        for value in self.evaluator.values(base, frame):
            if cell := self.cells.of_attribute(value, attr):
                yield cell
            if isinstance(value, Instance):
                for function in self._properties(value, attr):
                    yield Entrance(function, {function.scope.function.parameters[0].name: frozenset({value})})

    def _properties(self, instance: Instance, attr: str) -> tuple[UserFunction, ...]:
        for cls in self.evaluator.mro(instance.of):
            if isinstance(cls, UserClass) and (found := cls.scope.bindings.get(attr)):
                functions = [v for b in found if b.how == "function" for v in self.evaluator.binding(b, self.program.generic(cls.scope))]
                return tuple(
                    f
                    for f in functions
                    if isinstance(f, UserFunction)
                    and f.scope.function.parameters
                    and is_property(self.evaluator, f.scope.function, self.program.generic(f.scope))
                )
        return ()

    def operated(self, subject: ir.Expr, method: str, frame: Frame) -> tuple[tuple[Entrance, tuple[str, ...]], ...]:
        """The functions of the program that an operation on `subject` calls, with the parameter that gets what stands beside it."""
        key = (id(subject), method, id(frame))
        if (found := self._operated.get(key)) is None:
            found = self._operated[key] = tuple(self._methods(subject, method, frame))
        return found

    def _methods(self, subject: ir.Expr, method: str, frame: Frame) -> Iterator[tuple[Entrance, tuple[str, ...]]]:
        for value in self.evaluator.values(subject, frame):
            for function in self.evaluator.class_attribute(value.of, method, value) if isinstance(value, Instance) else ():
                if isinstance(function, UserFunction) and (names := tuple(p.name for p in function.scope.function.parameters)):
                    yield Entrance(function, {names[0]: frozenset({value})}), names[1:2]

    # ------------------------------------------------------------ calls

    def place(self, call: ir.Call, frame: Frame) -> Place:
        """All that is known of a call whatever its arguments depend on."""
        key = (id(call), id(frame))
        if (found := self._places.get(key)) is None:
            found = self._places[key] = self._placed(call, frame)
        return found

    def _placed(self, call: ir.Call, frame: Frame) -> Place:
        asked = self.asked(call, frame)
        method = isinstance(call.func, ir.Attribute)
        reads = isinstance(call.func, ir.Attribute) and call.func.attr in READERS and bool(call.args)
        sources = self.sources(call.func.value, frame) if reads and isinstance(call.func, ir.Attribute) else ()
        values = self.evaluator.values(call.func, frame)
        callees = tuple(self._called(value, call, frame) for value in values)
        called = frozenset(callee.value for callee in callees)
        unknown = [callee.value for callee in callees if isinstance(callee.value, Unknown)]
        looks = suspects.looks(call)
        parts = (*call.args, *(v for _, v in call.keywords))
        return Place(
            Span(frame.scope.file, *call.at), tuple(map(id, parts)), asked, sources, callees,
            unknown[0] if unknown and len(unknown) == len(callees) else None, looks,
            suspects.suspected(call, called, frame) if looks else None, self._changes(values) if method else "",
        )  # fmt: skip

    def callee(self, value: Value, call: ir.Call, frame: Frame) -> Callee:
        """What calling `value` here comes to, whatever the call itself names."""
        key = (value, id(call), id(frame))
        if (found := self._callee.get(key)) is None:
            found = self._callee[key] = self._called(value, call, frame)
        return found

    def _called(self, value: Value, call: ir.Call, frame: Frame) -> Callee:
        functions = self.evaluator.callables(value)
        if functions and not isinstance(value, Partial):
            return Callee(value, functions, self.queues.called(functions[0]), (), (), ())
        if isinstance(value, Instance):
            value = self.evaluator.inherited(value) or value
        if not isinstance(value, Api):
            return Callee(value, (), "", (), (), ())
        rules, acting, transports = self._rules(value.path)
        if transports:
            rules = tuple(r for r in rules if self._carries(r, value, call, frame))
        if not rules:
            rules = guessed.rules(self.models.matcher, value)
            return Callee(value, (), "", rules, tuple(r for r in rules if isinstance(r, ACTING)), ())
        transport = (r for r in rules if isinstance(r, (ChannelPut, ChannelTake))) if transports else ()
        channels = tuple((r, channel) for r in transport for channel in self.evaluator.channels.of(r, value, call, frame))
        return Callee(value, (), "", rules, acting, channels)

    def _rules(self, path: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...], bool]:
        """Those of a call, those of them that act, and whether there are channels among them.

        A call that reads the request (`request.get_json()`) is known by what it gives.
        """
        if (found := self._known_rules.get(path)) is None:
            given = self.rulebook.rules_for(self.rulebook.canonical(path + "()"))
            rules = (*self.rulebook.rules_for(Api(path).called), *(r for r in given if isinstance(r, WebRequest)))
            transports = any(isinstance(r, (ChannelPut, ChannelTake)) for r in rules)
            found = self._known_rules[path] = rules, tuple(r for r in rules if isinstance(r, ACTING)), transports
        return found

    def _carries(self, rule: Rule, api: Api, call: ir.Call, frame: Frame) -> bool:
        """All rules count but those by which a plain container would be a channel, where no worker takes from it."""
        if not isinstance(rule, (ChannelPut, ChannelTake)) or not rule.plain:
            return True
        return any(self.queues.workers(channel) for channel in self.evaluator.channels.of(rule, api, call, frame))

    def entering(self, function: UserFunction, call: ir.Call, frame: Frame) -> Entering:
        """What the parameters of a function of the program get from a call."""
        key = (function, id(call), id(frame))
        if (found := self._entering.get(key)) is None:
            found = self._entering[key] = self._entered(function, call, frame)
        return found

    def _entered(self, function: UserFunction, call: ir.Call, frame: Frame) -> Entering:
        parameters = list(function.scope.function.parameters)
        own = parameters.pop(0).name if function.receiver is not None and parameters else ""
        mapped = argument_map(tuple(parameters), call)
        rest = tuple(e for e in (*call.args, *(v for _, v in call.keywords)) if not any(e is m for m in mapped.values()))
        starred = tuple((p.name, rest) for p in parameters if p.kind.startswith("*")) if rest else ()
        given = {own, *mapped, *(name for name, _ in starred)}
        missing = next((p.name for p in parameters if p.name not in given and p.default is None), "")
        return Entering(Entrance(function, self.evaluator.bind(function, call, frame)), own, tuple(mapped.items()), starred, missing)

    def handed(self, call: ir.Call, frame: Frame) -> tuple[tuple[Entrance, tuple[str, ...]], ...]:
        """The functions of the program among a call's arguments, with the parameters that they may get anything for."""
        key = (id(call), id(frame))
        if (found := self._handed.get(key)) is None:
            found = self._handed[key] = tuple(self._passed_on(call, frame))
        return found

    def _passed_on(self, call: ir.Call, frame: Frame) -> Iterator[tuple[Entrance, tuple[str, ...]]]:
        for expr in (*call.args, *(v for _, v in call.keywords)):
            if not isinstance(expr, (ir.Name, ir.Attribute, ir.Lambda)):
                continue
            for value in self.evaluator.values(expr, frame):
                if isinstance(value, UserFunction):
                    names = tuple(p.name for p in value.scope.function.parameters)
                    bound = value.receiver is not None
                    given = {names[0]: frozenset({value.receiver})} if value.receiver is not None else {}
                    yield Entrance(value, given), names[1 if bound else 0 :]

    def _changes(self, values: Values) -> str:
        if any(isinstance(v, (Module, UserFunction, UserClass)) for v in values):
            return ""
        known = [r for v in values if isinstance(v, Api) for r in self.rulebook.rules_for(v.called)]
        changes = any((isinstance(r, Effect) and r.kind == "mutate") or (isinstance(r, ModelConfigure) and r.input) for r in known)
        return "surely" if changes else "" if known else "perhaps"
