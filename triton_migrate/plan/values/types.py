"""Takes an expression, gives what is known of its value's type: enough to choose a tensor, or to say that it cannot travel."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, TypeAlias, cast

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.values import arrays, plain
from triton_migrate.plan.values.answers import Answers
from triton_migrate.plan.values.declared import instance, made
from triton_migrate.plan.values.observed import contradiction, finer, type_of
from triton_migrate.plan.values.vtype import DATA, PLAIN, SCALARS, SHAPED, UNKNOWN, VType, parse, python_kind, union
from triton_migrate.resolve.calls import port, results
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Binding, Frame, Scope, Store
from triton_migrate.resolve.values import Api, Instance, UserClass, UserFunction
from triton_migrate.rulebook.vocabulary import DataConvert, ModelPredict, WebRequest

DEPTH = 24

_Rests: TypeAlias = frozenset[Scope | None]
_Known: TypeAlias = tuple[VType, bool, _Rests, ir.Expr, Frame]  # whether nothing was lost; the last two keep their ids alive


class Types:
    """Answers `of(expr, frame)`. `callers` says which call entered a function, so that its parameters are what was passed. Functions that
    are `sent` their arguments get JSON.

    What a recording saw fills in what the code does not say; `contradicted` are the places where it cannot be so.
    """

    def __init__(
        self, evaluator: Evaluator, callers: dict[Scope, tuple[ir.Call, Frame]], sent: frozenset[Scope] = frozenset(),
        routed: dict[tuple[Scope, str], str] | None = None, answers: Answers | None = None,
    ) -> None:  # fmt: skip
        """`routed`: what the path of a route says of its handler's parameters. `answers`: what other pipelines came to know."""
        self.evaluator, self.rulebook, self.callers, self.sent, self.routed = evaluator, evaluator.rulebook, callers, sent, routed or {}
        self.observed, self.answers = evaluator.program.observed, answers or Answers(evaluator)
        self.declared, self.threads = self.answers.declared, self.answers.threads
        self.contradicted: dict[Span, str] = {}
        self._rested = 0  # how often an answer rested on what was seen
        self._busy: set[tuple[int, int]] = set()
        self._drawn: dict[str, VType] = {}  # what the loops of comprehensions around draw
        self._known: dict[tuple[int, int], _Known] = {}
        self._returns: dict[tuple[Frame, tuple[tuple[str | None, VType], ...]], tuple[VType, bool, _Rests]] = {}  # by what the call gives
        self._outer: dict[tuple[int, int], tuple[VType, ir.Expr, Frame]] = {}  # what was answered from outside, lost or not
        self._lost = 0  # how often `_unknown` was all that could be said
        self._rests: set[Scope | None] = set()  # functions whose callers the answer under way rests on; None: what only this pipeline knows
        self._passing: list[tuple[dict[Any, Any], object]] = []  # what holds for the question from outside that is under way only

    def of(self, expr: ir.Expr | None, frame: Frame) -> VType:
        if expr is None:
            return VType("none")
        key = (id(expr), id(frame))
        if (known := self._known.get(key)) is not None:
            self._lost += not known[1]
            self._rested += known[0].observed
            self._rests |= known[2]
            return known[0]
        if not self._busy and (told := self._outer.get(key)) is not None:
            return told[0]
        sharing = not (self._drawn or self.observed.places)  # what a loop draws and what was seen are no part of the question
        if sharing and (answer := self._answered(key)) is not None:
            return answer
        if key in self._busy or len(self._busy) > DEPTH:
            return self._unknown()
        lost, rested, outer = self._lost, self._rested, self._rests
        self._rests = set()
        self._busy.add(key)
        try:
            found = self._of(expr, frame)
        finally:
            self._busy.discard(key)
            rests, self._rests = frozenset(self._rests), outer | self._rests
        if self.observed.places:
            found = self._informed(found, frame, expr.at)
            found = replace(found, observed=True) if self._rested > rested and not found.observed else found
        self._known[key] = found, self._lost == lost, rests, expr, frame
        if self._lost > lost:
            self._passing.append((self._known, key))
        elif sharing and None not in rests:
            self.answers.keep(key, found, cast("frozenset[Scope]", rests), self.callers, (expr, frame))
        if not self._busy:
            self._outer[key] = found, expr, frame
            for answers, asked in self._passing:
                answers.pop(asked, None)
            self._passing.clear()
        return found

    def _answered(self, key: Hashable) -> VType | None:
        """What the question gave before, for this pipeline or another."""
        answer = self.answers.known(key, self.callers)
        if answer is None:
            return None
        self._rests.update(scope for scope, _ in answer.entered)
        return answer.found

    def _informed(self, found: VType, frame: Frame, at: ir.At, parameter: str = "") -> VType:
        """What is known of a value, with what was seen of it."""
        file = frame.scope.file
        if (seen := self.observed.at(file, at, parameter)) is None:
            return found
        told = type_of(seen, instance)
        if why := contradiction(found, told):
            self.contradicted[Span(file, *at)] = why
            return found
        better = finer(found, told)
        self._rested += better.observed
        return better

    def _unknown(self) -> VType:
        """The answer to a question that is being answered already, or that was asked from too deep."""
        self._lost += 1
        return UNKNOWN

    def _of(self, expr: ir.Expr, frame: Frame) -> VType:
        match expr:
            case ir.Constant(_, value):
                return VType("none") if value is None else VType(type(value).__name__ if type(value).__name__ in SCALARS else "unknown")
            case ir.Joined():
                return VType("str")
            case ir.Name(at, name):
                return self._drawn[name] if name in self._drawn else self.name(name, frame, at)
            case ir.Await(_, value):
                made = self.threads.handed(expr, frame)
                return self.of(value if made is None else made.call, frame)
            case ir.Walrus(_, _, value):
                return self.of(value, frame)
            case ir.Sequence(_, kind, items):
                types = tuple(self.of(i, frame) for i in items)
                return VType(kind, items=types if kind == "tuple" else tuple(dict.fromkeys(types)), one_row=len(types) == 1)
            case ir.Mapping(_, _, values):
                return VType("dict", items=tuple(dict.fromkeys(self.of(v, frame) for v in values)))
            case ir.Comprehension(_, kind, element, value, loops):
                return self._comprehension(kind, value if kind == "dict" else element, loops, frame)
            case ir.Conditional(_, _, then, orelse):
                return union((self.of(then, frame), self.of(orelse, frame)))
            case ir.Operation(_, operator, operands):
                return plain.operated(operator, tuple(self.of(o, frame) for o in operands))
            case ir.Subscript(_, base, index):
                found = self._element(self.of(base, frame), index)
                return self._or_asked(found, expr, frame)
            case ir.Attribute():
                found = self._attribute(expr, frame)
                return self._or_asked(found, expr, frame)
            case ir.Call():
                found = self._call(expr, frame)
                return self._or_asked(found, expr, frame)
            case ir.Lambda():
                return VType("object")
        return UNKNOWN

    def name(self, name: str, frame: Frame, at: ir.At | None = None, done: ir.At | None = None) -> VType:
        """The type of a name where the code at `at` runs, or once the statement at `done` has; without either: anywhere."""
        where: Frame | None = frame
        while where is not None:
            if found := where.scope.bindings.get(name):
                if where is frame and where.scope.kind == "function" and (at or done):
                    reaching = self.evaluator.program.reaching(where.scope, name)
                    found = list(reaching.before(at) if at else reaching.after(done))  # type: ignore[arg-type]
                return union(tuple(self._binding(b, where) for b in found))
            where = where.parent
        return UNKNOWN

    def _comprehension(
        self, kind: str, element: ir.Expr | None, loops: tuple[tuple[ir.Expr, ir.Expr, tuple[ir.Expr, ...]], ...], frame: Frame
    ) -> VType:
        outside, known = self._drawn, self._known
        self._drawn, self._known = dict(outside), {}
        for target, iterable, _ in loops:
            self._draw(target, self._element(self.of(iterable, frame), None))
        inner = self.of(element, frame)
        self._drawn, self._known = outside, known
        return VType(kind, items=(inner,)) if kind in ("list", "dict") else VType("object")

    def _draw(self, target: ir.Expr, found: VType) -> None:
        if isinstance(target, ir.Name):
            self._drawn[target.id] = found
        elif isinstance(target, ir.Sequence):
            for i, item in enumerate(target.items):
                self._draw(item, self._element(found, ir.Constant(item.at, i)))

    def _imported(self, binding: Binding, frame: Frame) -> VType:
        """What another module means by a name; modules that import it from each other say nothing."""
        stmt, name = binding.imported
        path = self.evaluator.program.module_path(frame.scope.file, stmt.module, stmt.level)
        key = (id(binding), id(frame))
        if path is None:
            return UNKNOWN
        if key in self._busy:
            return self._unknown()
        self._busy.add(key)
        try:
            return self.name(name, self.evaluator.program.frames[path])
        finally:
            self._busy.discard(key)

    def _binding(self, binding: Binding, frame: Frame) -> VType:
        match binding.how:
            case "value":
                stmt = binding.node
                if isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                    return self.declared.annotation(stmt.annotation, frame)
                if isinstance(stmt, ir.Assign) and stmt.augmented:
                    return self._augmented(binding, frame)
                found = self._grown(binding, frame) or self.of(binding.expr, frame)
            case "element":
                found = self._element(self.of(binding.expr, frame), None)
            case "parameter":
                return self._parameter(binding.node, frame)  # type: ignore[arg-type]
            case "from":
                return self._imported(binding, frame)
            case _:
                return VType("object") if binding.how in ("import", "function", "class", "enter") else UNKNOWN
        for i in binding.unpacked:
            found = self._element(found, ir.Constant((0, 0, 0, 0), i))
        return found

    def _grown(self, binding: Binding, frame: Frame) -> VType | None:
        """A list that starts empty is one of what the function appends to it."""
        stmt = binding.node
        if not isinstance(stmt, ir.Assign) or not isinstance(stmt.targets[0], ir.Name) or frame.scope.kind != "function":
            return None
        if not isinstance(stmt.value, ir.Sequence) or stmt.value.kind != "list" or stmt.value.items:
            return None
        found: list[VType] = []
        for call in (e for s in flow.flatten(frame.scope.function.body) for e in flow.expressions(s)):
            match call:
                case ir.Call(_, ir.Attribute(_, ir.Name(_, name), method), args, _) if name == stmt.targets[0].id:
                    if method in ("append", "extend", "insert"):
                        found.append(self.of(args[0], frame) if method == "append" and len(args) == 1 else UNKNOWN)
        return VType("list", items=tuple(dict.fromkeys(found)))

    def _parameter(self, parameter: ir.Parameter, frame: Frame) -> VType:
        found = self._given(parameter, frame)
        known = self.observed.places and frame.scope.kind == "function"
        return self._informed(found, frame, frame.scope.function.at, parameter.name) if known else found

    def _given(self, parameter: ir.Parameter, frame: Frame) -> VType:
        if parameter.annotation is not None:
            found = self.declared.annotation(parameter.annotation, frame.parent or frame)
            if found.kind != "unknown":
                return found if _tells(found) else _finer(found, self._passed(parameter, frame))
            passed = self._passed(parameter, frame)
            return found if passed == UNKNOWN else passed
        return self._passed(parameter, frame)

    def _passed(self, parameter: ir.Parameter, frame: Frame) -> VType:
        self._rests.add(frame.scope)
        if entered := self.callers.get(frame.scope):
            call, caller = entered
            if (given := self.evaluator.passed(frame.scope, call, caller).get(parameter.name)) is not None:
                return self.of(given, caller)
        if (told := self.routed.get((frame.scope, parameter.name))) and parameter.default is None:
            self._rests.add(None)
            return VType(told, declared=True)
        if frame.scope in self.sent:
            self._rests.add(None)
            return DATA
        return UNKNOWN

    # ------------------------------------------------------------ operations

    def _augmented(self, binding: Binding, frame: Frame) -> VType:
        """`x += y`: an array stays one of its dtype, text stays text; an integer may become a float."""
        stmt = binding.node
        assert isinstance(stmt, ir.Assign)
        key = (id(stmt), id(frame))
        if not isinstance(stmt.targets[0], ir.Name):
            return UNKNOWN
        if key in self._busy:
            return self._unknown()
        self._busy.add(key)
        before = self.name(stmt.targets[0].id, frame, stmt.at)
        self._busy.discard(key)
        by = self.of(stmt.value, frame)
        if before.kind in ("int", "float", "bool", "plain"):
            return VType("float") if "float" in (before.kind, by.kind) and {before.kind, by.kind} <= {"int", "float"} else PLAIN
        return before

    def _element(self, base: VType, index: ir.Expr | None) -> VType:
        if (
            base.kind == "tuple"
            and isinstance(index, ir.Constant)
            and isinstance(index.value, int)
            and -len(base.items) <= index.value < len(base.items)
        ):
            return base.items[index.value]
        if base.kind in ("stream", "generator"):
            return base.items[0] if base.items else UNKNOWN
        if base.kind in ("list", "tuple"):
            return base if isinstance(index, ir.Slice) else union(base.items or (UNKNOWN,))
        if base.kind == "dict":
            alike = len({i.kind if i.kind in SHAPED else i for i in base.items}) == 1
            return union(base.items) if alike else UNKNOWN
        if base.kind in ("array", "tensor"):
            return arrays.indexed(base, index)
        if base.kind in ("frame", "data"):
            return base  # a frame or a series
        return VType("str") if base.kind == "str" else UNKNOWN

    def _attribute(self, expr: ir.Attribute, frame: Frame) -> VType:
        for value in self.evaluator.values(expr.value, frame):
            if isinstance(value, Instance):
                for cls in self.evaluator.mro(value.of):
                    if isinstance(cls, UserClass):
                        inner = self.evaluator.program.generic(cls.scope)
                        for stmt in cls.scope.definition.body:
                            if isinstance(stmt, ir.Assign) and isinstance(stmt.targets[0], ir.Name) and stmt.targets[0].id == expr.attr:
                                return (
                                    self.declared.annotation(stmt.annotation, inner)
                                    if stmt.annotation is not None
                                    else self.of(stmt.value, inner)
                                )
                        stores = self.evaluator.program.files[cls.scope.file].attribute_stores.get(expr.attr, ())
                        if own := [store for store in stores if store.scope.owner is cls.scope] or stores[:1]:
                            return union(tuple(map(self._stored, own)))
        base = self.of(expr.value, frame)
        if base.kind in ("array", "tensor") and expr.attr == "T":
            return replace(base, one_row=False)
        if base.kind == "frame" and expr.attr == "values":
            return VType("array")
        if base.kind in ("array", "tensor") and expr.attr == "shape":
            return VType("list", items=(VType("int"),))
        if base.kind == "data":
            return UNKNOWN
        for value in self.evaluator.values(expr, frame):
            if isinstance(value, Api) and (known := instance(value.path)).kind == "file":
                return known
        if expr.attr in ("filename", "content_type"):
            return UNKNOWN  # str or None
        return VType("tuple", items=(VType("int"), VType("int"))) if base.kind == "image" and expr.attr == "size" else UNKNOWN

    def _stored(self, store: Store) -> VType:
        found = self.of(store.value, self.evaluator.program.generic(store.scope))
        for i in store.unpacked:
            found = self._element(found, ir.Constant(store.at, i))
        return found

    # ------------------------------------------------------------ calls

    def _call(self, call: ir.Call, frame: Frame) -> VType:
        found: list[VType] = []
        for value in self.evaluator.values(call.func, frame):
            if isinstance(value, UserFunction):
                found.append(self._returned(value, call, frame))
            elif isinstance(value, UserClass):
                found.append(self.declared.record(value))
            elif isinstance(value, Instance):
                found += [self._returned(f, call, frame) for f in self.evaluator.callables(value)] or self._inherited(value, call, frame)
            elif isinstance(value, Api):
                found.append(self._library(value, call, frame))
        known = [t for t in found if t != UNKNOWN]
        if known:
            return union(tuple(known))
        return self._method(call, frame)

    def _inherited(self, value: Instance, call: ir.Call, frame: Frame) -> list[VType]:
        """What an object of the program gives that is called as its library says: a network of a class of its own."""
        api = self.evaluator.inherited(value)
        return [self._library(api, call, frame)] if api is not None else []

    def _returned(self, function: UserFunction, call: ir.Call, caller: Frame) -> VType:
        node = function.scope.function
        if node.returns is not None:
            declared = self.declared.annotation(node.returns, function.frame)
            if declared.kind != "unknown":
                return declared if _tells(declared) else _finer(declared, self._results(function, call, caller))
            found = self._results(function, call, caller)
            return declared if found == UNKNOWN else found
        return self._results(function, call, caller)

    def _results(self, function: UserFunction, call: ir.Call, caller: Frame) -> VType:
        """What a call of a function of the program gives, by what its returns are."""
        given = ((name, self.of(expr, caller)) for name, expr in (*((None, a) for a in call.args), *call.keywords))
        frame = self.evaluator.enter(function, self.evaluator.bind(function, call, caller))
        key = (frame, tuple(given))
        if (known := self._returns.get(key)) is not None:
            self._lost += not known[1]
            self._rests |= known[2]
            return known[0]
        sharing = not (self._drawn or self.observed.places)
        if sharing and (answer := self._answered(key)) is not None:
            return answer
        lost, outer = self._lost, self._rests
        self._rests = set()
        found = self._entered(function, frame, call, caller)
        rests = frozenset(self._rests - {function.scope})  # that one was entered by this very call
        self._rests = outer | rests
        self._returns[key] = found, self._lost == lost, rests
        if self._lost > lost:
            self._passing.append((self._returns, key))
        elif sharing and None not in rests:
            self.answers.keep(key, found, cast("frozenset[Scope]", rests), self.callers)
        return found

    def _entered(self, function: UserFunction, frame: Frame, call: ir.Call, caller: Frame) -> VType:
        node = function.scope.function
        before = self.callers.get(function.scope)
        self.callers[function.scope] = (call, caller)
        known, self._known = self._known, {}
        found = union(tuple(self.of(e, frame) for e in results(node)) or (VType("none"),))
        if node.is_generator:
            found = VType("generator", items=(found,))
        self._known = known
        if before is None:
            del self.callers[function.scope]
        else:
            self.callers[function.scope] = before
        return found

    def _library(self, api: Api, call: ir.Call, frame: Frame) -> VType:
        if api.path.startswith("builtins."):
            return plain.builtin(api.path.removeprefix("builtins."), tuple(self.of(a, frame) for a in call.args), call)
        predict = self.rulebook.find(api.called, ModelPredict)
        if predict is not None:
            return self._predicted(predict, call, frame)
        rule = self.rulebook.find(api.called, DataConvert)
        return self._converted(rule, call, frame, api) if rule is not None else made(self.rulebook.canonical(api.path + "()"))

    def _predicted(self, rule: ModelPredict, call: ir.Call, frame: Frame) -> VType:
        """What a model gives: of one row one, where rows do not depend on each other."""
        found = parse(rule.result)
        given = self.of(port(call, rule.rows), frame) if "," not in rule.rows and rule.rows not in ("*", "self") else UNKNOWN
        if found.kind not in ("array", "tensor"):
            return found
        alone = rule.row_axes >= 0 and given.kind in ("str", "bytes", "image")
        rank = rule.rank or (rule.row_axes + 1 if rule.row_axes >= 0 and given.kind in (*SHAPED, "list") else 0)
        rank, first = rule.row_axes if alone else rank, not alone and rule.row_independent and given.one_row
        return replace(found, rank=rank, one_row=first, axed=found.kind == "array" and not alone)

    def _converted(self, rule: DataConvert, call: ir.Call, frame: Frame, api: Api) -> VType:
        owner_path = api.called.rpartition(".")[0]
        first = self.of(call.args[0], frame) if call.args else UNKNOWN
        subject = first
        if isinstance(call.func, ir.Attribute) and owner_path.endswith(("()", "]")):  # a method
            owner = self.of(call.func.value, frame)
            subject = owner if owner.kind not in ("unknown", "object", "data") else instance(owner_path)
        found = parse(rule.result)
        if found.kind == "same":
            return subject if not rule.shape or subject.kind not in SHAPED else arrays.made(rule, subject, call, frame, self.evaluator)
        if found.kind in (*SHAPED, "number"):
            return arrays.made(rule, subject, call, frame, self.evaluator)
        if found.kind == "list" and not found.items:
            return plain.tolist(subject) if subject.kind in ("array", "tensor", "number") else VType("list", items=(UNKNOWN,))
        if found.kind == "element":
            return VType(python_kind(subject.dtype))
        return replace(found, items=(UNKNOWN,)) if found.kind == "dict" else found

    def _method(self, call: ir.Call, frame: Frame) -> VType:
        """Methods of plain Python values."""
        return plain.method(self.of(call.func.value, frame), call) if isinstance(call.func, ir.Attribute) else UNKNOWN

    def _or_asked(self, found: VType, expr: ir.Expr, frame: Frame) -> VType:
        """What is known of a value, or else whether it is a part of the request, or an object of the program's."""
        if found.kind != "unknown" or found.items:
            return found
        asked = self._asked(expr, frame)
        return self._made(expr, frame) if asked == UNKNOWN else asked

    def _made(self, expr: ir.Expr, frame: Frame) -> VType:
        """An object of a class of the program, wherever it was kept in between: `self.customers[name]`."""
        values = self.evaluator.values(expr, frame)
        classes = [v.of for v in values if isinstance(v, Instance) and isinstance(v.of, UserClass)]
        return union(tuple(map(self.declared.record, classes))) if classes and len(classes) == len(values) else UNKNOWN

    def _asked(self, expr: ir.Expr, frame: Frame) -> VType:
        """A part of the request."""
        found = {plain.asked(v, self.rulebook) if isinstance(v, Api) else UNKNOWN for v in self.evaluator.values(expr, frame)}
        found |= {self._field(v, expr, frame) for v in self.evaluator.apis(expr.func, frame)} if isinstance(expr, ir.Call) else set()
        found = {f for f in found if f.kind != "unknown"} if isinstance(expr, ir.Call) else found
        return found.pop() if len(found) == 1 else UNKNOWN

    def _field(self, got: Api, call: ir.Call, frame: Frame) -> VType:
        """`request.args.get("k", 3, type=int)`: an int, whether the client sent it or not."""
        holder, _, method = got.path.rpartition(".")
        rule = self.rulebook.find(holder, WebRequest) if method == "get" else None
        converter = port(call, rule.converts) if rule is not None and rule.converts else None
        default = port(call, "default|1")
        named = converter.id if isinstance(converter, ir.Name) else "str" if converter is None else ""
        if rule is None or not rule.converts or default is None or named not in ("int", "float", "str"):
            return UNKNOWN
        found = self.of(default, frame)
        return found if found.kind == named else UNKNOWN


def _tells(declared: VType) -> bool:
    """Whether an annotation says all that a tensor needs: `np.ndarray` does not, nor does `list`."""
    return (declared.kind not in SHAPED or declared.dtype != "?") and declared != UNKNOWN and all(map(_tells, declared.items))


def _finer(declared: VType, found: VType) -> VType:
    """What the code gives, where that is what the annotation says."""
    return found if found.kind == declared.kind else declared
