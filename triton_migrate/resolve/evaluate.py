"""Takes an expression and a frame, gives what it may be: demand-driven abstract evaluation over the whole program.

Sets are capped, recursion is guarded, and every dead end is an `Unknown` with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from triton_migrate.index import ir
from triton_migrate.resolve.calls import argument_map, port, results
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.scopes import Binding, CallPlace, Frame, Scope, Store
from triton_migrate.resolve.values import (
    NOTHING,
    Api,
    Container,
    Instance,
    Literal,
    Module,
    Partial,
    Site,
    Unknown,
    UserClass,
    UserFunction,
    Value,
    Values,
)
from triton_migrate.rulebook.load import Rulebook
from triton_migrate.rulebook.vocabulary import FlowCall

CAP = 24  # values of one expression; more is "anything"
DEPTH = 14  # nested calls of user functions


class Evaluator:
    """Answers `values(expr, frame)`; memoised for the life of the program."""

    def __init__(self, program: Program, rulebook: Rulebook) -> None:
        self.program, self.rulebook = program, rulebook
        self._memo: dict[tuple[int, int], Values] = {}
        self._busy: set[tuple[int, int]] = set()
        self._frames: dict[tuple[int, int, tuple[tuple[str, Values], ...]], Frame] = {}
        self._allocations: dict[tuple[str, ir.At], tuple[ir.Call, Frame]] = {}
        self._keep: list[object] = []  # synthetic nodes whose id() is in the memo
        self._depth = 0
        self._incomplete = 0  # how often recursion was cut since the start

    def values(self, expr: ir.Expr | None, frame: Frame) -> Values:
        """What `expr` may be in `frame`."""
        if expr is None:
            return NOTHING
        key = (id(expr), id(frame))
        if key in self._memo:
            return self._memo[key]
        if key in self._busy or self._depth > 60:
            self._incomplete += 1
            return NOTHING
        self._busy.add(key)
        self._depth += 1
        before = self._incomplete
        try:
            found = _capped(self._evaluate(expr, frame))
        finally:
            self._depth -= 1
            self._busy.discard(key)
        if before == self._incomplete or not self._busy:
            self._memo[key] = found
        return found

    def apis(self, expr: ir.Expr | None, frame: Frame) -> tuple[Api, ...]:
        return tuple(sorted((v for v in self.values(expr, frame) if isinstance(v, Api)), key=lambda a: a.path))

    def constant(self, expr: ir.Expr | None, frame: Frame) -> object:
        """The one constant `expr` is; None when it is none or several."""
        found = [v.value for v in self.values(expr, frame) if isinstance(v, Literal)]
        return found[0] if len(found) == 1 else None

    def _evaluate(self, expr: ir.Expr, frame: Frame) -> Values:
        match expr:
            case ir.Name(_, name):
                return self.name(name, frame)
            case ir.Attribute(_, base, attr):
                return self._union(self.attribute(v, attr, frame) for v in self.values(base, frame))
            case ir.Call():
                return self._union(self.call(v, expr, frame) for v in self.values(expr.func, frame))
            case ir.Constant(_, value):
                return frozenset({Literal(value)})
            case ir.Subscript(_, base, index):
                return self._union(self.element(v, self.constant(index, frame)) for v in self.values(base, frame))
            case ir.Sequence() | ir.Mapping():
                return frozenset({Container(Site(frame.scope.file, expr.at), expr, frame)})
            case ir.Joined(_, parts):
                texts = [self.constant(p, frame) for p in parts]
                known = all(isinstance(t, (str, int)) for t in texts)
                return frozenset({Literal("".join(str(t) for t in texts)) if known else Unknown("f-string of unknown parts")})
            case ir.Operation(_, "Add", (left, right)):
                a, b = self.constant(left, frame), self.constant(right, frame)
                return frozenset({Literal(a + b) if isinstance(a, str) and isinstance(b, str) else Unknown("sum")})
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

    def _child(self, frame: Frame, node: ir.Function | ir.Class) -> Scope:
        scope: Scope | None = frame.scope
        while scope is not None:
            if id(node) in scope.children:
                return scope.children[id(node)]
            scope = scope.parent
        raise KeyError(node.name)

    def _union(self, sets: Iterable[Values]) -> Values:
        return frozenset().union(*sets)

    # ------------------------------------------------------------ names

    def name(self, name: str, frame: Frame) -> Values:
        """What a name may be where `frame` stands: scope, enclosing functions, module, star imports, builtins."""
        at: Frame | None = frame
        while at is not None:
            skipped = at.scope.kind == "class" and at is not frame  # class bodies are no enclosing scopes for methods
            if not skipped and name not in at.scope.globals and (found := at.scope.bindings.get(name)):
                return self._union(self.binding(b, at) for b in found) | (self._globals(name, at) if at.parent is None else NOTHING)
            if at.parent is None:
                return self._globals(name, at) or self._starred(name, at) or frozenset({Api(f"builtins.{name}")})
            at = frame.module if name in at.scope.globals else at.parent
        return NOTHING

    def _globals(self, name: str, module: Frame) -> Values:
        found = self.program.global_bindings(module.scope.file, name)
        return self._union(self.binding(b, self.program.generic(scope)) for scope, b in found)

    def _starred(self, name: str, module: Frame) -> Values:
        for star in self.program.files[module.scope.file].stars:
            found = self._from(star, name, module)
            if any(not isinstance(v, Unknown) for v in found):
                return found
        return NOTHING

    def binding(self, binding: Binding, frame: Frame) -> Values:
        match binding.how:
            case "value":
                found = self.values(binding.expr, frame)
            case "element":
                found = self._union(self.element(v, None) for v in self.values(binding.expr, frame))
            case "enter":
                found = self._union(self.entered(v) for v in self.values(binding.expr, frame))
            case "import":
                return self._module(str(binding.node), frame)
            case "from":
                stmt, name = binding.imported
                return self._from(stmt, name, frame)
            case "function":
                return self._defined(binding.node, frame)  # type: ignore[arg-type]
            case "class":
                return frozenset({UserClass(frame.scope.children[id(binding.node)], frame)})
            case "parameter":
                return self.parameter(binding.node, frame)  # type: ignore[arg-type]
            case "exception":
                return self._union(self._instance_of(v, frame, binding.at) for v in self.values(binding.expr, frame))
            case _:
                found = NOTHING if binding.expr is None else self.annotated(binding.expr, frame)
        for i in binding.unpacked:
            found = self._union(self.element(v, i) for v in found)
        return found

    def _module(self, name: str, frame: Frame) -> Values:
        path = self.program.module_path(frame.scope.file, name)
        if path:
            return frozenset({Module(path)})
        if self.program.is_package(name):
            return frozenset({Module(name.replace(".", "/") + "/")})
        return frozenset({Api(self.rulebook.canonical(name))})

    def _from(self, stmt: ir.ImportFrom, name: str, frame: Frame) -> Values:
        path = self.program.module_path(frame.scope.file, stmt.module, stmt.level)
        whole = f"{stmt.module}.{name}" if stmt.module else name
        if path and path != frame.scope.file:
            found = self.member(path, name)
            if found:
                return found
        if sub := self.program.module_path(frame.scope.file, whole, stmt.level):
            return frozenset({Module(sub)})
        if stmt.level or path:
            return frozenset({Unknown(f"{whole} is not in {path or 'the program'}")})
        return frozenset({Api(self.rulebook.canonical(whole))})

    def member(self, path: str, name: str) -> Values:
        """An attribute of a module of the program."""
        frame = self.program.frames[path]
        if name in frame.scope.bindings or self.program.global_bindings(path, name):
            return self.name(name, frame)
        if found := self._starred(name, frame):
            return found
        stored = [s for s in self.program.attribute_stores(name) if Module(path) in self.values(s.target, self.program.generic(s.scope))]
        return self._union(self.stored(s) for s in stored)

    def stored(self, store: Store, frame: Frame | None = None) -> Values:
        found = self.values(store.value, frame or self.program.generic(store.scope))
        for i in store.unpacked:
            found = self._union(self.element(v, i) for v in found)
        return found

    def _defined(self, function: ir.Function, frame: Frame) -> Values:
        """A `def`: its decorators are taken to keep the function (routes, caches, `wraps`); rules look at them separately."""
        return frozenset({UserFunction(frame.scope.children[id(function)], frame)})

    # ------------------------------------------------------------ parameters

    def parameter(self, parameter: ir.Parameter, frame: Frame) -> Values:
        if frame.arguments is not None and parameter.name in frame.arguments:
            return frame.arguments[parameter.name] or self._declared(parameter, frame)
        declared = self._declared(parameter, frame)
        scope = frame.scope
        if scope.owner is not None and scope.function.parameters and scope.function.parameters[0] is parameter:
            if not self.decorated(scope.function, frame, "builtins.staticmethod"):
                return declared or self._self(scope, frame)
        if declared and not all(isinstance(v, (Literal, Unknown)) for v in declared):
            return declared
        return declared | self._passed(parameter, scope)

    def _self(self, scope: Scope, frame: Frame) -> Values:
        assert scope.owner is not None and frame.parent is not None and frame.parent.parent is not None
        cls = UserClass(scope.owner, frame.parent.parent)
        if self.decorated(scope.function, frame, "builtins.classmethod"):
            return frozenset({cls})
        return self._made(cls) or frozenset({Instance(cls, Site(scope.file, scope.owner.definition.at))})

    def _made(self, cls: UserClass) -> Values:
        """The instances of a class that the program makes."""
        found: set[Value] = set()
        for place in self._constructions(cls.scope):
            frame = self.program.generic(place.scope)
            if cls in self.values(place.call.func, frame):
                found.add(Instance(cls, Site(place.scope.file, place.call.at)))
                self._allocations[(place.scope.file, place.call.at)] = (place.call, frame)
        return frozenset(found)

    def _constructions(self, cls: Scope) -> Iterator[CallPlace]:
        """Calls that may make an instance: by the class's name, and `cls(...)` in its class methods."""
        yield from self.program.calls(cls.name)
        yield from (p for p in self.program.calls("cls") if p.scope.owner is cls)

    def _declared(self, parameter: ir.Parameter, frame: Frame) -> Values:
        outer = frame.parent
        if outer is None:
            return NOTHING
        if outer.scope.kind == "class" and outer.parent is not None:
            outer = outer if outer.scope.bindings else outer.parent
        found = self.annotated(parameter.annotation, outer) if parameter.annotation is not None else NOTHING
        if parameter.default is not None:
            found |= self.values(parameter.default, outer)
        return found

    def annotated(self, annotation: ir.Expr, frame: Frame) -> Values:
        """Instances of the classes an annotation names; `Annotated[T, x]` gives T and what x gives (`Depends(f)` gives f's result)."""
        match annotation:
            case ir.Constant(_, str() as text):
                return self._quoted(text, frame)
            case ir.Constant():
                return NOTHING
            case ir.Operation(_, "BitOr", operands):
                return self._union(self.annotated(o, frame) for o in operands)
            case ir.Subscript(_, base, index):
                heads = {v.path.rpartition(".")[2] for v in self.apis(base, frame)}
                items = index.items if isinstance(index, ir.Sequence) else (index,)
                if heads & {"Optional", "Union", "Final", "ClassVar"}:
                    return self._union(self.annotated(i, frame) for i in items)
                if "Annotated" in heads:
                    return self.annotated(items[0], frame) | self._union(self.values(i, frame) for i in items[1:])
                return self.annotated(base, frame)
        if named := self.type_alias(annotation, frame):
            return self.annotated(*named)
        found: set[Value] = set()
        for value in self.values(annotation, frame):
            found |= self._instance_of(value, frame, annotation.at)
        return frozenset(found)

    def type_alias(self, annotation: ir.Expr, frame: Frame) -> tuple[ir.Expr, Frame] | None:
        """What a name of a type stands for (`ClassifierDep = Annotated[Classifier, Depends(f)]`), also when imported."""
        at: Frame | None = frame
        name = annotation.id if isinstance(annotation, ir.Name) else ""
        for _ in range(8):
            while at is not None and name not in at.scope.bindings:
                at = at.parent
            if at is None or not name:
                return None
            binding = at.scope.bindings[name][-1]
            if binding.how == "value" and isinstance(binding.expr, (ir.Subscript, ir.Operation)):
                return binding.expr, at
            if binding.how != "from":
                return None
            stmt, name = binding.imported
            path = self.program.module_path(at.scope.file, stmt.module, stmt.level)
            at = self.program.frames[path] if path else None
        return None

    def _quoted(self, text: str, frame: Frame) -> Values:
        expr: ir.Expr | None = None
        for part in text.strip().split("."):
            if not part.isidentifier():
                return NOTHING
            expr = ir.Name((0, 0, 0, 0), part) if expr is None else ir.Attribute((0, 0, 0, 0), expr, part)
        self._keep.append(expr)
        return self.annotated(expr, frame) if expr is not None else NOTHING

    def _instance_of(self, value: Value, frame: Frame, at: ir.At) -> Values:
        match value:
            case UserClass():
                return self._made(value) or frozenset({Instance(value, Site(frame.scope.file, at))})
            case Api(path) if not path.endswith(("()", "]")) and not path.startswith(("builtins.", "typing.")):
                return frozenset({Api(self.rulebook.canonical(path + "()"), Site(frame.scope.file, at))})
            case Container(_, ir.Sequence(_, _, items), inner):
                return self._union(self.annotated(i, inner) for i in items)
            case Api(path) if path.endswith("()") or path.startswith("typing."):
                return NOTHING
            case UserFunction() | Instance() | Unknown() | Literal() | Module() | Partial() | Api() | Container():
                return NOTHING

    def _passed(self, parameter: ir.Parameter, scope: Scope) -> Values:
        """What the program's calls of this function pass for the parameter."""
        function = scope.function
        found: set[Value] = set()
        made = function.name == "__init__" and scope.owner is not None
        for place in self._constructions(scope.owner) if made and scope.owner else self.program.calls(function.name):
            caller = self.program.generic(place.scope)
            for value in self.values(place.call.func, caller):
                for target in self.callables(value):
                    if target.scope is scope:
                        found |= self.bind(target, place.call, caller).get(parameter.name, NOTHING)
        return frozenset(found)

    # ------------------------------------------------------------ attributes and elements

    def attribute(self, value: Value, attr: str, frame: Frame) -> Values:
        match value:
            case Module(path):
                if path.endswith("/"):
                    sub = self.program.module_path("", path.replace("/", ".") + attr)
                    return frozenset({Module(sub)}) if sub else frozenset({Unknown(f"{path}{attr}")})
                found = self.member(path, attr)
                if not found and path.endswith("__init__.py"):
                    sub = self.program.module_path(path, attr, 1)
                    found = frozenset({Module(sub)}) if sub else NOTHING
                return found or frozenset({Unknown(f"{path} has no {attr}")})
            case Instance():
                return self.instance_attribute(value, attr)
            case UserClass():
                return self.class_attribute(value, attr, None)
            case Api(path, site, of):
                canonical = self.rulebook.canonical(f"{path}.{attr}")
                return self._stored_on(value, attr) or frozenset({Api(canonical, site, of)})
            case Container():
                return frozenset({Api(f"builtins.{_kind(value)}().{attr}", value.site)})
            case Literal(inner):
                return frozenset({Api(f"builtins.{type(inner).__name__}().{attr}")})
        return frozenset({Unknown(f"attribute {attr} of something unknown")})

    def _stored_on(self, owner: Value, attr: str) -> Values:
        """`owner.attr = value` anywhere in the program, for library objects (`app.state.model`)."""
        found: set[Value] = set()
        for store in self.program.attribute_stores(attr):
            frame = self.program.generic(store.scope)
            if any(isinstance(v, Api) and isinstance(owner, Api) and v.path == owner.path for v in self.values(store.target, frame)):
                found |= self.stored(store)
        return frozenset(found)

    def instance_attribute(self, instance: Instance, attr: str) -> Values:
        found: set[Value] = set()
        for cls in self.mro(instance.of):
            if isinstance(cls, Api):
                continue
            for store in self.program.files[cls.scope.file].attribute_stores.get(attr, ()):
                method = store.scope
                while method.kind == "function" and method.owner is None and method.parent is not None:
                    method = method.parent
                if method.owner is not cls.scope or not _is_self(store.target, method):
                    continue
                found |= self.stored(store, self._method_frame(store.scope, method, instance, cls))
        for store in self.program.attribute_stores(attr):
            if store.scope.owner is None and instance in self.values(store.target, self.program.generic(store.scope)):
                found |= self.stored(store)
        return frozenset(found) | self.class_attribute(instance.of, attr, instance)

    def _method_frame(self, scope: Scope, method: Scope, instance: Instance, cls: UserClass) -> Frame:
        if scope is not method or method.function.name != "__init__":
            return self.program.generic(scope)
        made = self._allocations.get((instance.site.file, instance.site.at))
        if made is None:
            return self.program.generic(scope)
        function = UserFunction(method, self._class_frame(cls), instance)
        return self.enter(function, self.bind(function, *made))

    def _class_frame(self, cls: UserClass) -> Frame:
        key = (id(cls.scope), id(cls.frame), ())
        if key not in self._frames:
            self._frames[key] = Frame(cls.scope, cls.frame)
        return self._frames[key]

    def class_attribute(self, cls: UserClass, attr: str, instance: Instance | None) -> Values:
        """Through the MRO: methods (bound when there is an instance), class attributes, properties, then inherited library API."""
        for base in self.mro(cls):
            if isinstance(base, Api):
                site = instance.site if instance else None
                path = self.rulebook.canonical(f"{base.path}{'()' if instance else ''}.{attr}")
                return frozenset({Api(path, site, instance)})
            if found := base.scope.bindings.get(attr):
                frame = self._class_frame(base)
                return self._union(self._bound(v, base, instance) for b in found for v in self.binding(b, frame))
        return NOTHING

    def _bound(self, value: Value, cls: UserClass, instance: Instance | None) -> Values:
        if not isinstance(value, UserFunction):
            return frozenset({value})
        function, frame = value.scope.function, self.program.generic(value.scope)
        if self.decorated(function, frame, "builtins.staticmethod"):
            return frozenset({value})
        if self.decorated(function, frame, "builtins.classmethod"):
            return frozenset({UserFunction(value.scope, value.frame, cls)})
        if instance is None:
            return frozenset({value})
        bound = UserFunction(value.scope, value.frame, instance)
        if self.decorated(function, frame, "builtins.property", "functools.cached_property"):
            return self.returned(bound, {})
        return frozenset({bound})

    def decorated(self, function: ir.Function, frame: Frame, *paths: str) -> bool:
        outer = frame.parent or frame
        return any(a.path.removesuffix("()") in paths for d in function.decorators for a in self.apis(d, outer))

    def mro(self, cls: UserClass) -> tuple[UserClass | Api, ...]:
        """The class, its bases depth first, library classes where the program's own end."""
        found: list[UserClass | Api] = [cls]
        for base in cls.scope.definition.bases:
            for value in self.values(base.value if isinstance(base, ir.Subscript) else base, cls.frame):
                if isinstance(value, UserClass) and value.scope is not cls.scope:
                    found += [c for c in self.mro(value) if c not in found]
                elif isinstance(value, Api) and value.path != "builtins.object" and value not in found:
                    found.append(value)
        return tuple(sorted(found, key=lambda c: isinstance(c, Api)))

    def element(self, value: Value, key: object) -> Values:
        """`value[key]`; key None = any element (iteration, unknown index)."""
        match value:
            case Container(_, expr, frame):
                return self._inside(expr, key, frame) | self._put_into(value, key)
            case Api(path, site, of):
                stored = self._put_into(value, key) if key is not None else NOTHING
                return stored or frozenset({Api(self.rulebook.canonical(path + "[]"), site, of)})
            case UserClass():
                return frozenset({value})
            case Instance():
                return self._union(
                    self.returned(f, {})
                    for f in self.class_attribute(value.of, "__getitem__" if key is not None else "__iter__", value)
                    if isinstance(f, UserFunction)
                )
        return frozenset({Unknown("element of something unknown")})

    def _inside(self, expr: ir.Sequence | ir.Mapping, key: object, frame: Frame) -> Values:
        if isinstance(expr, ir.Sequence):
            if isinstance(key, int) and -len(expr.items) <= key < len(expr.items):
                return self.values(expr.items[key], frame)
            return self._union(self.values(i, frame) for i in expr.items)
        if key is not None:
            exact = [v for k, v in zip(expr.keys, expr.values, strict=True) if k is not None and self.constant(k, frame) == key]
            if exact:
                return self.values(exact[-1], frame)
        return self._union(self.values(v, frame) for v in expr.values)

    def _put_into(self, container: Container | Api, key: object) -> Values:
        found: set[Value] = set()
        keys = [key, None] if key is not None else [k for f in self.program.files.values() for k in f.element_stores]
        for store in (s for k in dict.fromkeys(keys) for s in self.program.element_stores(k)):
            targets = self.values(store.target, self.program.generic(store.scope))
            if container in targets or any(isinstance(t, Api) and isinstance(container, Api) and t.path == container.path for t in targets):
                found |= self.stored(store)
        return frozenset(found)

    def entered(self, value: Value) -> Values:
        """What `with value as x` binds: the yielded value of a generator context manager, `__enter__`'s result, or the value itself."""
        if isinstance(value, Instance):
            enters = [
                f for n in ("__enter__", "__aenter__") for f in self.class_attribute(value.of, n, value) if isinstance(f, UserFunction)
            ]
            return self._union(self.returned(f, {}) for f in enters) or frozenset({value})
        return frozenset({value})

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

    def call(self, value: Value, call: ir.Call, frame: Frame) -> Values:
        """What calling `value` here gives."""
        site = Site(frame.scope.file, call.at)
        match value:
            case UserFunction():
                return self.returned(value, self.bind(value, call, frame))
            case UserClass():
                self._allocations.setdefault((site.file, site.at), (call, frame))
                return frozenset({Instance(value, site)})
            case Instance():
                functions = self.callables(value)
                if functions:
                    return self._union(self.returned(f, self.bind(f, call, frame)) for f in functions)
                api = next((b for b in self.mro(value.of) if isinstance(b, Api)), None)
                return self._api_call(Api(f"{api.path}()", value.site, value), call, frame) if api else NOTHING
            case Partial(function):
                return self.call(function, call, frame)
            case Api():
                return self._api_call(value, call, frame)
        return frozenset({Unknown("call of something unknown")})

    def _api_call(self, api: Api, call: ir.Call, frame: Frame) -> Values:
        receiver, _, _ = api.path.rpartition(".")
        site = Site(frame.scope.file, call.at)
        if api.path == "functools.partial" and call.args:
            return frozenset(Partial(v, call, frame, site) for v in self.values(call.args[0], frame))
        if api.path == "builtins.getattr" and len(call.args) > 1 and isinstance(name := self.constant(call.args[1], frame), str):
            return self._union(self.attribute(v, name, frame) for v in self.values(call.args[0], frame))
        if api.path.startswith("builtins.dict().") and api.path.rpartition(".")[2] in {"get", "pop", "setdefault", "values"}:
            key = self.constant(call.args[0], frame) if call.args else None
            containers = self.values(call.func.value, frame) if isinstance(call.func, ir.Attribute) else NOTHING
            return self._union(self.element(c, key) for c in containers)
        flow = self.rulebook.find(api.path, FlowCall)
        if flow is not None:
            return self._passed_on(flow, call, frame)
        path = self.rulebook.canonical(api.path + "()")
        if path == receiver and api.of is not None:
            return frozenset({api.of})
        if path == "builtins.super()":
            return self._super(frame)
        return frozenset({Api(path, api.site if path == receiver else site, None)})

    def _super(self, frame: Frame) -> Values:
        at: Frame | None = frame
        while at is not None and at.scope.owner is None:
            at = at.parent
        if at is None or at.parent is None or at.parent.parent is None or at.scope.owner is None:
            return NOTHING
        cls = UserClass(at.scope.owner, at.parent.parent)
        bases = [b for b in self.mro(cls) if b != cls]
        first = bases[0] if bases else None
        if isinstance(first, UserClass):
            return frozenset({Instance(first, Site(at.scope.file, at.scope.owner.definition.at))})
        return frozenset({Api(first.path + "()")}) if isinstance(first, Api) else NOTHING

    def _passed_on(self, flow: FlowCall, call: ir.Call, frame: Frame) -> Values:
        """A call that calls one of its arguments (`asyncio.to_thread(f, x)`, `Depends(f)`)."""
        inner = port(call, flow.function)
        if inner is None:
            return NOTHING
        passed = self.passed_call(flow, call)
        return self._union(self.call(v, passed, frame) for v in self.values(inner, frame))

    def passed_call(self, flow: FlowCall, call: ir.Call) -> ir.Call:
        """The call that a `flow.call` makes of its function port, as if written out."""
        inner = port(call, flow.function)
        assert inner is not None
        args = call.args[flow.first :] if flow.first >= 0 else ()
        keywords = tuple((k, v) for k, v in call.keywords if v is not inner) if flow.first >= 0 else ()
        made = ir.Call(call.at, inner, args, keywords)
        self._keep.append(made)
        return made

    def bind(self, function: UserFunction, call: ir.Call, caller: Frame) -> dict[str, Values]:
        """The parameters of `function` that this call gives, evaluated in the caller's frame."""
        parameters = list(function.scope.function.parameters)
        given: dict[str, Values] = {}
        if function.receiver is not None and parameters:
            given[parameters.pop(0).name] = frozenset({function.receiver})
        for name, expr in argument_map(tuple(parameters), call).items():
            given[name] = self.values(expr, caller)
        return given

    def enter(self, function: UserFunction, given: dict[str, Values]) -> Frame:
        """The frame of one call; calls with the same values share it."""
        arguments = dict(given)
        for parameter in function.scope.function.parameters:
            if parameter.name not in arguments and (parameter.default is not None or parameter.annotation is not None):
                arguments[parameter.name] = self._declared(parameter, Frame(function.scope, function.frame))
        key = (id(function.scope), id(function.frame), tuple(sorted(arguments.items(), key=lambda kv: kv[0])))
        if key not in self._frames:
            self._frames[key] = Frame(function.scope, function.frame, arguments)
        return self._frames[key]

    def returned(self, function: UserFunction, given: dict[str, Values]) -> Values:
        """What the function's `return` and `yield` statements give."""
        if self._depth > 4 * DEPTH:
            self._incomplete += 1
            return NOTHING
        frame = self.enter(function, given)
        found = self._union(self.values(e, frame) for e in results(function.scope.function))
        if not found and function.scope.function.returns is not None:
            found = self.annotated(function.scope.function.returns, function.frame)
        return found


def _kind(container: Container) -> str:
    return "dict" if isinstance(container.expr, ir.Mapping) else container.expr.kind


def _is_self(target: ir.Expr, method: Scope) -> bool:
    parameters = method.function.parameters
    return isinstance(target, ir.Name) and bool(parameters) and target.id == parameters[0].name


def _capped(values: Values) -> Values:
    known = frozenset(v for v in values if not isinstance(v, Unknown)) or values
    return known if len(known) <= CAP else frozenset({Unknown(f"more than {CAP} possibilities")})
