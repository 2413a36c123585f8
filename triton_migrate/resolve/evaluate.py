"""Takes an expression and a frame, gives what it may be: demand-driven abstract evaluation over the whole program.

Sets are capped, recursion is guarded, and every dead end is an `Unknown` with its reason. This module evaluates expressions and calls;
names, parameters, attributes and containers have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from triton_migrate.index import ir
from triton_migrate.resolve import attributes, containers, enums, making, names, parameters, reflection
from triton_migrate.resolve.aliases import Aliases
from triton_migrate.resolve.calls import Called, argument_map, called, port, results
from triton_migrate.resolve.channels import Channels
from triton_migrate.resolve.cuts import TOO_DEEP, TOO_MUCH, Cuts
from triton_migrate.resolve.handing import Handing
from triton_migrate.resolve.memo import DEEPEST, Memo
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.reach import Reach
from triton_migrate.resolve.scopes import Binding, Frame, Scope, Store
from triton_migrate.resolve.stores import Stores
from triton_migrate.resolve.values import (
    NOTHING,
    Api,
    Container,
    Instance,
    Literal,
    Partial,
    Site,
    Tuples,
    Unknown,
    UserClass,
    UserFunction,
    Value,
    Values,
)
from triton_migrate.rulebook.load import Rulebook
from triton_migrate.rulebook.vocabulary import DataConvert, FlowCall, ModelLoad, TaskDefine, WebApp

CAP = 64  # values of one expression; more is "anything"
CONTEXTS = 24  # frames of one function; after that all further calls on one object share one
EFFORT = 600_000  # evaluations between two changes of what is known; applications of 150 files took up to 83,000, one of 1,200 took 295,000
TOO_LARGE: Values = frozenset({Unknown(TOO_MUCH)})


class Evaluator:
    """Answers `values(expr, frame)`; memoised for the life of the program."""

    def __init__(self, program: Program, rulebook: Rulebook) -> None:
        self.program, self.rulebook = program, rulebook
        self.channels, self.handing, self.aliases = Channels(self), Handing(self), Aliases(program)
        self.reach = Reach(program, _named(rulebook, WebApp), _named(rulebook, TaskDefine), _roots(rulebook, TaskDefine))
        self._memo, self.cuts = Memo(), Cuts()
        self.stores = Stores(program, self._memo.rests)
        self._frames: dict[tuple[int, int, tuple[tuple[str, Values], ...]], Frame] = {}
        self._contexts: dict[Scope, int] = {}
        self._allocations: dict[Site, tuple[ir.Call, Frame]] = {}
        self._applied: dict[tuple[int, int], ir.Call] = {}
        self._calls: dict[str, Called] = {}
        self._before: dict[int, Partial] = {}  # by id() of a call of `_applied`: what was given where the partial was made
        self.many: set[UserClass] = set()  # classes with more instances than are told apart, as far as is known
        self._keep: list[ir.Expr] = []  # synthetic nodes whose id() is in the memo
        self._stored = False
        self.assumed: dict[tuple[Scope, str], Values] = {}
        self.states: dict[str, tuple[UserFunction, ...]] = {}  # of what has a yielded mapping's items as attributes: who yields it
        rules = [r for lib in rulebook.libraries for r in lib.rules]
        self.task_makers = sorted({p.rpartition(".")[2] for r in rules if isinstance(r, TaskDefine) and r.base for p in r.api})
        configured = [r for r in rules if isinstance(r, WebApp) and r.settings]
        self.settings = {r.settings: path for r in configured for path, f in program.frames.items() if r.root in f.scope.bindings}
        self._opaque = frozenset(
            rulebook.canonical(f"{path}()")
            for lib in rulebook.libraries
            for r in lib.rules
            if isinstance(r, ModelLoad) and r.opaque
            for path in r.api
        )

    def values(self, expr: ir.Expr | None, frame: Frame) -> Values:
        """What `expr` may be in `frame`."""
        if expr is None:
            return NOTHING
        if not self._stored:
            self._find_stores()
        key = (id(expr), id(frame))
        known: Values | None = self._memo.known.get(key)
        if known is not None:
            if self._memo.noting:
                self._memo.rests(key)
            return known
        if self._memo.spent > EFFORT:
            self.cuts.note(TOO_MUCH, frame.scope.file, expr.at)
            return TOO_LARGE
        if len(self._memo.stack) >= DEEPEST:
            self.cuts.note(TOO_DEEP, frame.scope.file, expr.at)
        if (root := _root(expr)) is None:
            return self._memo.ask(key, lambda: _capped(self._evaluate(expr, frame)), NOTHING)
        return self._held(expr, root, frame, key)

    def _held(self, expr: ir.Expr, root: str, frame: Frame, key: Hashable) -> Values:
        """What a name is, or an attribute of one: the same wherever it stands in the scope that holds it, and in all that lies in that."""
        holder = frame.holder(root)
        same = (id(holder), root) if isinstance(expr, ir.Name) else (id(expr), id(holder))
        found = self._memo.ask(same, lambda: _capped(self._evaluate(expr, holder)), NOTHING)
        if same in self._memo.known and same != key:  # else it is an answer of a round
            self._memo.same(key, same)
        return found

    def assume(self, given: dict[tuple[Scope, str], Values], states: dict[str, tuple[UserFunction, ...]]) -> None:
        """From now on these parameters have these values, and these paths what is yielded: what a framework passes without saying so."""
        if given.keys() - self.assumed.keys() or states.keys() - self.states.keys():
            changed: list[Hashable] = [("assumed", *parameter) for parameter, v in given.items() if self.assumed.get(parameter) != v]
            changed += [("state", path) for path, by in states.items() if self.states.get(path) != by]
            self.assumed |= given
            self.states |= states
            self._forget(changed if self._memo.spent <= EFFORT else None)
            self._stored = False

    def assumes(self, scope: Scope, parameter: str) -> Values:
        """What a framework passes for a parameter."""
        self._memo.rests(("assumed", scope, parameter))
        return self.assumed.get((scope, parameter), NOTHING)

    def yields(self, path: str) -> tuple[UserFunction, ...]:
        """The functions that yield the attributes of what has this path."""
        self._memo.rests(("state", path))
        return self.states.get(path, ())

    def settle(self) -> None:
        """Nothing more is assumed."""
        self._memo.settle()

    def once(self, about: Hashable, frame: Frame, compute: Callable[[], Values]) -> Values:
        """`compute()`, answered once for `about` and `frame`."""
        return self._memo.ask((about, id(frame)), compute, NOTHING)

    def _find_stores(self) -> None:
        """Fill `stores` before anything is answered. Again where that found more: a store's target may itself come out of a store."""
        if self._stored or not self._memo.idle:
            return
        self._stored = True
        for _ in range(2):
            changed = self.stores.fill(lambda expr, scope: self.values(expr, self.program.generic(scope)))
            enough = self._memo.spent <= EFFORT
            if not changed and enough:  # what was answered on the way holds
                break
            self._forget(changed if enough else None)
            if not enough:  # the second round would get no further
                break

    def _forget(self, changed: Iterable[Hashable] | None) -> None:
        self._memo.forget(changed)
        self.many.clear()

    def apis(self, expr: ir.Expr | None, frame: Frame) -> tuple[Api, ...]:
        found = [v for v in self.values(expr, frame) if isinstance(v, Api)]
        return tuple(sorted(found, key=lambda a: a.path) if len(found) > 1 else found)

    def constant(self, expr: ir.Expr | None, frame: Frame) -> object:
        """The one constant `expr` is; None when it is none or several."""
        found = [v.value for v in self.values(expr, frame) if isinstance(v, Literal)]
        return found[0] if len(found) == 1 else None

    def key(self, expr: ir.Expr | None, frame: Frame) -> object:
        """The one constant that something is looked up by; None where the client or the environment may say another."""
        found = self.constant(expr, frame)
        others = any(not isinstance(v, Literal) for v in self.values(expr, frame))
        return None if found is None or others or self._set_by_request(expr, frame) else found

    def _set_by_request(self, expr: ir.Expr | None, frame: Frame) -> bool:
        """A global that some function sets to what nothing is known of, such as a parameter of its route."""
        if not isinstance(expr, ir.Name) or (frame.scope.kind == "function" and expr.id in frame.scope.bindings):
            return False
        bound = self.program.global_bindings(frame.scope.file, expr.id)
        return any(not self.binding(binding, self.program.generic(scope)) for scope, binding in bound)

    def kept(self, expr: ir.Expr) -> ir.Expr:
        """A made-up expression that may be asked about: it lives as long as its answer."""
        self._keep.append(expr)
        return expr

    def _evaluate(self, expr: ir.Expr, frame: Frame) -> Values:
        match expr:
            case ir.Name(_, name):
                return self.name(name, frame)
            case ir.Attribute(_, ir.Call(_, ir.Name(_, "super")), attr):
                return attributes.super_attribute(self, attr, frame)
            case ir.Attribute(_, ir.Attribute(_, kind, _) as member, attr) if asked := enums.asked(self, kind, frame):
                return self._union(self.attribute(v, attr) for v in asked) if attr not in enums.CONTENTS else self.values(member, frame)
            case ir.Attribute(_, base, attr):
                return self._union(self.attribute(v, attr) for v in self.values(base, frame))
            case ir.Call():
                return self._union(self.call(v, expr, frame) for v in self.values(expr.func, frame))
            case ir.Constant(_, value):
                return frozenset({Literal(value)})
            case ir.Subscript(_, base, index):
                return self._union(self._item(v, index, frame) for v in self.values(base, frame))
            case ir.Comprehension() if (copied := containers.copied(expr)) is not None:
                return self.values(copied, frame)
            case ir.Sequence() | ir.Mapping() | ir.Comprehension():
                return frozenset({Container(Site(frame.scope.file, expr.at), expr, frame)})
            case ir.Joined(_, parts):
                texts = [self.constant(p, frame) for p in parts]
                known = all(isinstance(t, (str, int)) for t in texts)
                return frozenset({Literal("".join(str(t) for t in texts)) if known else Unknown("f-string of unknown parts")})
            case ir.Operation(_, "Add", (left, right)):
                a, b = self.constant(left, frame), self.constant(right, frame)
                return frozenset({Literal(a + b) if isinstance(a, str) and isinstance(b, str) else Unknown("sum")})
            case ir.Operation(_, "BitOr", (left, right)) if both := self._displayed(left, frame) | self._displayed(right, frame):
                return both
            case ir.Operation(_, "Or" | "And", operands):
                return self._union(self.values(o, frame) for o in operands)
            case ir.Operation(_, "Div", (left, _)):  # pathlib's a / b
                return self.values(left, frame)
            case ir.Conditional(_, _, then, orelse):
                return self.values(then, frame) | self.values(orelse, frame)
            case ir.Await(_, value) | ir.Walrus(_, _, value) | ir.Starred(_, value):
                return self.values(value, frame)
            case ir.Lambda(_, function):
                return frozenset({UserFunction(self._child(frame, function), frame)})
        return frozenset({Unknown(type(expr).__name__.lower())})

    def _item(self, value: Value, index: ir.Expr, frame: Frame) -> Values:
        """`value[index]`; of a marker whose element is `same`, the index itself (`Provide[Container.service]`)."""
        if isinstance(value, Api) and value.path == "sys.modules":
            return reflection.listed_module(self, index, frame)
        rule = self.rulebook.find(f"{value.path}[]", DataConvert) if isinstance(value, Api) else None
        if rule is not None and rule.result == "same":
            return self.values(index, frame)
        key = self.key(index, frame)
        put = containers.put_under(self, value, index, frame) if key is None and isinstance(value, Api) else NOTHING
        return put or self.element(value, key)

    def _displayed(self, expr: ir.Expr, frame: Frame) -> Values:
        return frozenset(v for v in self.values(expr, frame) if isinstance(v, Container))

    def _child(self, frame: Frame, node: ir.Function | ir.Class) -> Scope:
        scope: Scope | None = frame.scope
        while scope is not None:
            if id(node) in scope.children:
                return scope.children[id(node)]
            scope = scope.parent
        raise KeyError(node.name)

    def _union(self, sets: Iterable[Values]) -> Values:
        found = [s for s in sets if s]
        return found[0] if len(found) == 1 else NOTHING.union(*found)

    # ------------------------------------------------------------ questions of the other modules

    def name(self, name: str, frame: Frame) -> Values:
        """What a name may be where `frame` stands."""
        self._find_stores()
        return names.name(self, name, frame)

    def binding(self, binding: Binding, frame: Frame) -> Values:
        """What one way of getting a value gives a name of `frame`'s scope."""
        return names.binding(self, binding, frame)

    def member(self, path: str, name: str) -> Values:
        """An attribute of a module of the program."""
        return names.member(self, path, name)

    def stored(self, store: Store, frame: Frame | None = None) -> Values:
        """What a store puts; `frame` is the storing function's, else any caller's."""
        where = frame or self.program.generic(store.scope)
        if not store.unpacked:
            return self.values(store.value, where)
        return self.once((id(store.value), store.unpacked), where, lambda: self._unpacked(store, where))

    def _unpacked(self, store: Store, frame: Frame) -> Values:
        found = self.values(store.value, frame)
        for i in store.unpacked:
            found = self._union(self.element(v, i) for v in found)
        return found

    def annotated(self, annotation: ir.Expr, frame: Frame) -> Values:
        """Instances of the classes an annotation names."""
        return parameters.annotated(self, annotation, frame)

    def type_alias(self, annotation: ir.Expr, frame: Frame) -> tuple[ir.Expr, Frame] | None:
        """What the name of a type stands for, also when imported."""
        return parameters.type_alias(self, annotation, frame)

    def attribute(self, value: Value, attr: str) -> Values:
        return self._memo.ask(("attribute", value, attr), lambda: attributes.attribute(self, value, attr), NOTHING)

    def class_attribute(self, cls: UserClass, attr: str, instance: Instance | None) -> Values:
        """Through the MRO: methods (bound when there is an instance), class attributes, properties, then inherited library API."""
        return self._memo.ask(("class", cls, attr, instance), lambda: attributes.class_attribute(self, cls, attr, instance), NOTHING)

    def mro(self, cls: UserClass) -> tuple[UserClass | Api, ...]:
        """The class, its bases depth first, library classes where the program's own end."""
        nothing: tuple[UserClass | Api, ...] = ()
        return self._memo.ask(("mro", cls), lambda: attributes.mro(self, cls), nothing)

    def element(self, value: Value, key: object) -> Values:
        """`value[key]`; key None = any element (iteration, unknown index)."""
        return self._memo.ask(("element", value, type(key), key), lambda: containers.element(self, value, key), NOTHING)

    def decorated(self, function: ir.Function, frame: Frame, *paths: str) -> bool:
        """Whether one of these APIs decorates the function that `frame` is of."""
        outer = frame.parent or frame
        return any(a.path.removesuffix("()") in paths for d in function.decorators for a in self.apis(d, outer))

    def class_frame(self, cls: UserClass) -> Frame:
        key = (id(cls.scope), id(cls.frame), ())
        if key not in self._frames:
            self._frames[key] = Frame(cls.scope, cls.frame)
        return self._frames[key]

    def allocated(self, site: Site, call: ir.Call, frame: Frame) -> None:
        """Remember which call makes the objects of a site."""
        self._allocations.setdefault(site, (call, frame))

    def allocation(self, site: Site) -> tuple[ir.Call, Frame] | None:
        return self._allocations.get(site)

    # ------------------------------------------------------------ calls

    def callables(self, value: Value) -> tuple[UserFunction, ...]:
        """The program's functions that calling `value` runs."""
        match value:
            case UserFunction():
                return (value,)
            case UserClass():
                instance = Instance(value, Site(value.scope.file, value.scope.definition.at))
                return tuple(f for f in self.class_attribute(value, "__init__", instance) if isinstance(f, UserFunction))
            case Instance():
                return tuple(f for f in self.class_attribute(value.of, "__call__", value) if isinstance(f, UserFunction))
            case Partial(function):
                return self.callables(function)
        return ()

    def inherited(self, instance: Instance) -> Api | None:
        """What a library makes of an object of the program: that of the first of its class's bases which is not the program's own."""
        base = next((b for b in self.mro(instance.of) if isinstance(b, Api)), None)
        return Api(self.rulebook.canonical(f"{base.path}()"), instance.site, instance) if base else None

    def call(self, value: Value, call: ir.Call, frame: Frame) -> Values:
        """What calling `value` here gives."""
        match value:
            case UserFunction():
                given = self.returned(value, self.bind(value, call, frame))
                return frozenset({Tuples((given,))}) if given and _iterates(value.scope.function) else given
            case UserClass():
                site = Site(frame.scope.file, call.at)
                self.allocated(site, call, frame)
                return frozenset({Instance(value, site)})
            case Instance():
                functions = self.callables(value)
                if functions:
                    return self._union(self.returned(f, self.bind(f, call, frame)) for f in functions)
                inherited = self.inherited(value)
                return self._api_call(inherited, call, frame) if inherited else NOTHING
            case Partial(function):
                return self.call(function, *self.applied(value, call, frame))
            case Api():
                return self._api_call(value, call, frame)
        return frozenset({Unknown("call of something unknown")})

    def _api_call(self, api: Api, call: ir.Call, frame: Frame) -> Values:
        if (told := self._calls.get(api.path)) is None:
            told = self._calls[api.path] = called(self.rulebook, api.path)
        bind, flow, path = told.bind, told.flow, told.gives
        if bind is not None and (inner := port(call, bind.function)) is not None:
            bound = self.handing.bound(bind, call, frame)
            return frozenset(Partial(v, bound, frame, Site(frame.scope.file, call.at)) for v in self.values(inner, frame))
        if (reflected := reflection.called(self, api.path, call, frame)) is not None:
            return reflected
        if (rearranged := containers.rearranged(self, api.path, call, frame)) is not None:
            return rearranged
        if flow is not None and (made := making.objects(self, flow, call, frame)):
            return frozenset(made)
        if flow is not None and not flow.method:
            given = self._union(self._result(v, passed, frame) for v, passed in self.passed_calls(flow, api, call, frame))
            return frozenset({Tuples((given,))}) if flow.each else given
        if told.convert is not None and (same := self._handed_on(told.convert, call, frame)):
            return same
        if told.take is not None and (taken := self.channels.taken(told.take, api)):
            return taken
        receiver = path == api.path.rpartition(".")[0]
        if receiver and api.of is not None:
            return frozenset({api.of})
        return frozenset({Api(path, api.site if receiver else Site(frame.scope.file, call.at), None)})

    def _result(self, value: Value, call: ir.Call, frame: Frame) -> Values:
        """What a library that calls a function of the program hands on: of a generator, what it yields (`Depends(opened)`)."""
        return self.returned(value, self.bind(value, call, frame)) if isinstance(value, UserFunction) else self.call(value, call, frame)

    def _handed_on(self, rule: DataConvert, call: ir.Call, frame: Frame) -> Values:
        """The model that a call with the result `same` gets and gives (`torch.compile(net)`)."""
        if rule.result != "same" or not call.args:
            return NOTHING
        passed = self.values(call.args[0], frame)
        return frozenset(v for v in passed if isinstance(v, (Instance, UserFunction, Container, Tuples)) or (isinstance(v, Api) and v.site))

    def passed_calls(self, flow: FlowCall, api: Api, call: ir.Call, frame: Frame) -> tuple[tuple[Value, ir.Call], ...]:
        """What a `flow.call` calls (`asyncio.to_thread(f, x)`, `Depends(f)`), each with that call as if written out."""
        if flow.method:
            return making.calls(self, flow, call, frame)
        if flow.steps:
            last = self.handing.in_steps(flow, call, frame)
            return tuple((v, last) for v in self.values(last.func, frame)) if last is not None else ()
        made = self.handing.direct(flow, call, frame)
        if flow.given:
            maker = self.program.call_at(api.made)
            given = port(maker.call, flow.given) if maker is not None else None
            return tuple((v, made) for v in self.values(given, self.program.generic(maker.scope))) if maker is not None else ()
        if flow.function == "self":
            return ((api.of, made),) if isinstance(api.of, (UserFunction, UserClass)) else ()
        inner = port(call, flow.function)
        return tuple((v, made) for v in self.values(inner, frame)) if inner is not None else ()

    def applied(self, partial: Partial, call: ir.Call, frame: Frame) -> tuple[ir.Call, Frame]:
        """The call that calling a partial makes, and where it stands: what was given elsewhere is not in it (`bind` adds it)."""
        if not call.args and not call.keywords:
            return partial.call, partial.frame
        given = partial.call
        if (made := self._applied.get((id(given), id(call)))) is None:
            if partial.frame.scope is frame.scope:
                args, keywords = given.args + call.args, given.keywords + call.keywords
            else:
                names = [p.name for f in self.callables(partial.function)[:1] for p in _open_parameters(f)][len(given.args) :]
                args, keywords = (), (*zip(names, call.args, strict=False), *call.keywords)
            made = self._applied[id(given), id(call)] = ir.Call(call.at, given.func, args, keywords)
            if partial.frame.scope is not frame.scope:
                self._before[id(made)] = partial
        return made, frame

    def bind(self, function: UserFunction, call: ir.Call, caller: Frame, only: str = "") -> dict[str, Values]:
        """The parameters of `function` that this call gives (or `only` one of them), evaluated in the caller's frame."""
        rest = list(function.scope.function.parameters)
        given: dict[str, Values] = {}
        if function.receiver is not None and rest:
            given[rest.pop(0).name] = frozenset({function.receiver})
        if (before := self._before.get(id(call))) is not None:
            given |= self.bind(function, before.call, before.frame, only)
        by_name = {p.name: p for p in rest}
        for name, expr in argument_map(tuple(rest), call).items():
            if only and name != only:
                continue
            given[name] = self.told(self.values(expr, caller), by_name[name].annotation, function.frame)
        if function.receiver is None and not self._is_own(function, given.get("self")):
            given.pop("self")  # `TASKS[name](self, rows)` in a base class: the object is of the class that has the method
        for name, passed in containers.handed_on(self, tuple(rest), call, caller).items():
            if only in ("", name):
                given.setdefault(name, passed)
        for star in (p for p in rest if p.kind.startswith("*") and only in ("", p.name)):
            if gathered := containers.gathered(self, star, tuple(rest), call, caller):
                given[star.name] = gathered
        return given

    def _is_own(self, method: UserFunction, itself: Values | None) -> bool:
        """Whether what a function gets as `self` may be an object of the class that it is a method of."""
        if itself is None or method.scope.owner is None:
            return True
        classes = (c for v in itself if isinstance(v, Instance) for c in self.mro(v.of))
        return any(isinstance(c, UserClass) and c.scope is method.scope.owner for c in classes)

    def passed(self, scope: Scope, call: ir.Call, caller: Frame) -> dict[str, ir.Expr]:
        """What a call gives for a function's parameters: nothing for `self`, nor for what a framework puts in its place."""
        own = scope.function.parameters
        assumed = self.assumes(scope, own[0].name) if own else NOTHING
        given = bool(assumed) and bool(call.args) and bool(self.values(call.args[0], caller) & assumed)  # a job that calls another
        bound = scope.owner is not None or (bool(assumed) and not given)
        return argument_map(own[1:] if bound else own, call)

    def told(self, passed: Values, annotation: ir.Expr | None, frame: Frame) -> Values:
        """What was loaded by something that gives anything (pickle) is what the annotation of a variable, parameter or result says."""
        if annotation is None or not any(isinstance(v, Api) and v.path in self._opaque for v in passed):
            return passed
        told = [v.path for v in self.annotated(annotation, frame) if isinstance(v, Api)]
        if len(told) != 1 or told[0] in self._opaque or told[0].startswith("builtins."):
            return passed
        return frozenset(Api(told[0], v.site, v.of) if isinstance(v, Api) and v.path in self._opaque else v for v in passed)

    def enter(self, function: UserFunction, given: dict[str, Values]) -> Frame:
        """The frame of one call; calls with the same values share it."""
        arguments = dict(given)
        for parameter in function.scope.function.parameters:
            if parameter.name not in arguments and (parameter.default is not None or parameter.annotation is not None):
                arguments[parameter.name] = parameters.declared(self, parameter, Frame(function.scope, function.frame))
        key = (id(function.scope), id(function.frame), tuple(sorted(arguments.items(), key=lambda kv: kv[0])))
        if key not in self._frames:
            self._contexts[function.scope] = self._contexts.get(function.scope, 0) + 1
            if self._contexts[function.scope] > CONTEXTS:
                return self.received(function)
            self._frames[key] = Frame(function.scope, function.frame, arguments)
        return self._frames[key]

    def received(self, function: UserFunction) -> Frame:
        """The frame of a method of one object for any caller; of a plain function, for any caller."""
        if not isinstance(function.receiver, Instance) or not function.scope.function.parameters:
            return self.program.generic(function.scope)
        own: dict[str, Values] = {function.scope.function.parameters[0].name: frozenset({function.receiver})}
        key = (id(function.scope), id(function.frame), tuple(own.items()))
        return self._frames.setdefault(key, Frame(function.scope, function.frame, own))

    def returned(self, function: UserFunction, given: dict[str, Values]) -> Values:
        """What the function's `return` and `yield` statements give."""
        frame = self.enter(function, given)
        return self._memo.ask(("returned", id(frame), id(function.frame)), lambda: self._results(function, frame), NOTHING)

    def _results(self, function: UserFunction, frame: Frame) -> Values:
        found, said = self._union(self.values(e, frame) for e in results(function.scope.function)), function.scope.function.returns
        if not found and said is not None:
            return self.annotated(said, function.frame)
        return self.told(found, said, function.frame)


def _root(expr: ir.Expr) -> str | None:
    """The name that an expression of nothing but attributes begins with."""
    while isinstance(expr, ir.Attribute):
        expr = expr.value
    return expr.id if isinstance(expr, ir.Name) else None


def _iterates(function: ir.Function) -> bool:
    """Whether a call gives what is yielded as elements: a generator that no decorator makes something else of (`contextmanager`)."""
    return function.is_generator and not function.decorators


def _roots(rulebook: Rulebook, role: type[TaskDefine]) -> frozenset[str]:
    """The import roots of the libraries with rules of a role."""
    return frozenset(root for lib in rulebook.libraries for root in lib.imports if any(isinstance(r, role) for r in lib.rules))


def _named(rulebook: Rulebook, role: type[WebApp] | type[TaskDefine]) -> frozenset[str]:
    """What calls that play a role are called in the source."""
    return frozenset(path.rstrip("()[]").rpartition(".")[2] for rule in rulebook.of_role(role) for path in rule.api)


def _open_parameters(function: UserFunction) -> tuple[ir.Parameter, ...]:
    """The positional parameters that a caller gives."""
    positional = tuple(p for p in function.scope.function.parameters if p.kind == "positional")
    return positional[1:] if function.receiver is not None else positional


def _capped(values: Values) -> Values:
    if len(values) < 2:
        return values
    known = frozenset([v for v in values if not isinstance(v, Unknown)]) or values
    return known if len(known) <= CAP else frozenset({Unknown(f"more than {CAP} possibilities")})
