"""Takes an object and the name of an attribute, gives what it may be: through instances, classes, their bases, and stores elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve import containers, enums, fielded, parameters
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame, Scope, Store
from triton_migrate.resolve.stores import is_self, method_of
from triton_migrate.resolve.values import (
    NOTHING,
    Api,
    Container,
    Instance,
    Literal,
    Module,
    Partial,
    Site,
    Tuples,
    Unknown,
    UserClass,
    UserFunction,
    Value,
    Values,
)
from triton_migrate.rulebook.vocabulary import DataConvert, TaskDefine, WebSchema

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

PROPERTIES = ("builtins.property", "functools.cached_property")


def attribute(ev: Evaluator, value: Value, attr: str) -> Values:
    match value:
        case Module(path):
            return _module_attribute(ev, path, attr)
        case Instance(cls) if attr == "__class__":
            return frozenset({cls})
        case Instance(cls) if attr in enums.CONTENTS and enums.is_enum(ev, cls):
            return enums.contents(ev, cls)
        case Instance(cls):
            called = (f for f in ev.callables(value) if f.scope.owner is not None)
            wrapped = (_wrapped(ev, cls, f"().{attr}", f) for f in called)
            return instance_attribute(ev, value, attr) or frozenset().union(*wrapped) or _delegated(ev, value, attr)
        case UserClass() if attr == "__subclasses__":
            return frozenset({Api("builtins.type().__subclasses__")})
        case UserClass():
            return class_attribute(ev, value, attr, None) or _wrapped(ev, value, f".{attr}", value)
        case UserFunction(scope, _, Instance(cls)) if remote := _wrapped(ev, cls, f"().{scope.name}.{attr}", value):
            return remote
        case UserFunction():
            return _stored_on(ev, value, attr) or _decoration(ev, value, attr)
        case Partial(function, given, frame):  # a provider that stands for what it gives
            return frozenset().union(*(ev.attribute(v, attr) for v in ev.call(function, given, frame)))
        case Api(path, site, of):
            known = _stored_on(ev, value, attr) or _yielded(ev, path, attr) or fielded.given(ev, value, attr)
            return known or frozenset({Api(_longer(ev, path, attr), site, of)})
        case Container():
            return frozenset({Api(f"{_kind(value)}().{attr}", value.site)})
        case Tuples():
            return frozenset({Api(f"builtins.list().{attr}")})
        case Literal(inner):
            return frozenset({Api(f"builtins.{type(inner).__name__}().{attr}")})
    return frozenset({Unknown(f"attribute {attr} of something unknown")})


def _delegated(ev: Evaluator, instance: Instance, attr: str) -> Values:
    """What the class's `__getattr__` gives: mostly an attribute of what the object stands in front of."""
    functions = ev.class_attribute(instance.of, "__getattr__", instance) if not attr.startswith("__") else NOTHING
    named = [(f, f.scope.function.parameters[1].name) for f in functions if isinstance(f, UserFunction) and f.scope.function.parameters[1:]]
    return frozenset().union(*(ev.returned(f, {name: frozenset({Literal(attr)})}) for f, name in named))


def _longer(ev: Evaluator, path: str, attr: str) -> str:
    """The path of an attribute. A chain that no rule knows ends where it comes round: `text = text.replace(a, b)` in a loop, or often."""
    found = ev.rulebook.canonical(f"{path}.{attr}")
    head, again, _ = path.rpartition(f".{attr}()")
    if again and not ev.rulebook.rules_for(found) and not ev.rulebook.rules_for(f"{head}.{attr}"):
        return f"{head}.{attr}"
    return found


def _module_attribute(ev: Evaluator, path: str, attr: str) -> Values:
    if path.endswith("/"):
        sub = ev.program.module_path("", path.replace("/", ".") + attr)
        return frozenset({Module(sub)}) if sub else frozenset({Unknown(f"{path}{attr}")})
    found = ev.member(path, attr)
    if not found and path.endswith("__init__.py"):
        sub = ev.program.module_path(path, attr, 1)
        found = frozenset({Module(sub)}) if sub else NOTHING
    return found or frozenset({Unknown(f"{path} has no {attr}")})


def _stored_on(ev: Evaluator, owner: Value, attr: str) -> Values:
    """`owner.attr = value` from outside the class (`app.state.model`, `holder.net`)."""
    return frozenset().union(*(ev.stored(s) for s in ev.stores.attribute(owner, attr)))


def _yielded(ev: Evaluator, path: str, attr: str) -> Values:
    """An item of the mapping that a start-up function yields: `request.state.model`."""
    made = (v for function in ev.yields(path) for v in ev.returned(function, {}))
    return frozenset().union(*(ev.element(v, attr) for v in made if isinstance(v, Container)))


def task_objects(ev: Evaluator, function: UserFunction) -> tuple[Instance, ...]:
    """The objects of the program's own classes that a queue's decorator makes of a function: `@app.task(base=ModelTask)`."""
    outer = ev.program.generic(function.scope).parent
    found: list[Instance] = []
    for decorator in function.scope.function.decorators if outer is not None else ():
        called = decorator if isinstance(decorator, ir.Call) else None
        for api in ev.apis(called.func if called is not None else decorator, outer) if outer is not None else ():
            rule = ev.rulebook.find(api.called, TaskDefine)
            if rule is None or not rule.base or outer is None:
                continue
            given = port(called, rule.base) if called is not None else None
            owner = Api(api.path.rpartition(".")[0], api.site, api.of)
            classes = ev.values(given, outer) if given is not None else _stored_on(ev, owner, rule.default)
            found += [Instance(c, Site(function.scope.file, decorator.at)) for c in classes if isinstance(c, UserClass)]
    return tuple(found)


def _options(ev: Evaluator, instance: Instance, attr: str) -> Values:
    """The options of the decorator that made the object are attributes of it: `@app.task(base=ModelTask, path="m.pkl")`."""
    place = ev.program.call_at(instance.site)
    given = port(place.call, attr) if place is not None and place.decorates is not None else None
    return ev.values(given, ev.program.generic(place.scope)) if place is not None else NOTHING


def _decoration(ev: Evaluator, function: UserFunction, attr: str) -> Values:
    """An attribute of what a library's decorator made of a function: `task.delay`, `task.model` of its base class."""
    found: set[Value] = set()
    outer = ev.program.generic(function.scope).parent
    for decorator in function.scope.function.decorators if outer is not None else ():
        for api in ev.apis(decorator, outer) if outer is not None else ():
            path = ev.rulebook.canonical(f"{api.path.removesuffix('()')}()().{attr}")
            if ev.rulebook.rules_for(path) or ev.rulebook.canonical(f"{path}()") == path.rpartition(".")[0]:
                found.add(Api(path, Site(function.scope.file, function.scope.function.at), function))
    if not found:
        found = {v for task in task_objects(ev, function) for v in instance_attribute(ev, task, attr)}
    return frozenset(found) or frozenset({Unknown(f"attribute {attr} of a function")})


def _wrapped(ev: Evaluator, cls: UserClass, tail: str, of: UserClass | UserFunction) -> Values:
    """What only a library's decorator of the class gives it (`Model.bind`), its objects (`handle.remote`) or their methods."""
    found: set[Value] = set()
    for decorator in cls.scope.definition.decorators:
        for api in ev.apis(decorator, cls.frame):
            path = ev.rulebook.canonical(f"{api.path.removesuffix('()')}()(){tail}")
            if ev.rulebook.rules_for(path) or ev.rulebook.canonical(f"{path}()") == path.rpartition(".")[0]:
                found.add(Api(path, Site(cls.scope.file, decorator.at), of))
    return frozenset(found)


def instance_attribute(ev: Evaluator, instance: Instance, attr: str) -> Values:
    """`self.attr` of one object: what its class's methods and others put there, else its class's attribute."""
    by_method: dict[Scope, Values] = {}
    for cls in ev.mro(instance.of):
        if isinstance(cls, UserClass):
            for store in ev.program.files[cls.scope.file].attribute_stores.get(attr, ()):
                method = method_of(store.scope)
                if method is not None and method.owner is cls.scope and is_self(store, method):
                    stored = ev.stored(store, _method_frame(ev, store.scope, method, instance, cls))
                    by_method[method] = by_method.get(method, NOTHING) | stored
            for name, store in ev.program.files[cls.scope.file].named_stores:
                if (method := method_of(store.scope)) is not None and method.owner is cls.scope and is_self(store, method):
                    frame = _method_frame(ev, store.scope, method, instance, cls)
                    by_method[method] = by_method.get(method, NOTHING) | _put_by_name(ev, attr, name, store, frame)
    put = _reached(ev, by_method) | _stored_on(ev, instance, attr) | _stored_by_new(ev, instance, attr) | fielded.field(ev, instance, attr)
    own = _options(ev, instance, attr) or class_attribute(ev, instance.of, attr, instance)
    if own and _filled_by_client(ev, instance):
        own = frozenset(v for v in own if not isinstance(v, Literal)) or frozenset({Unknown(f"field {attr} of a request")})
    if any(isinstance(v, Literal) for v in own):
        own |= frozenset(Api(f"{path}().{attr}", instance.site, instance) for path in _filled_by_environment(ev, instance))
    if any(not isinstance(v, (Literal, Unknown)) for v in put):
        own = frozenset(v for v in own if not (isinstance(v, Api) and v.of == instance))  # what a library's class has goes after it
    return put | own


def _filled_by_client(ev: Evaluator, instance: Instance) -> bool:
    """Whether a request fills the object's fields: their defaults are only one of the things they may be."""
    if ev.allocation(instance.site) is not None:
        return False
    return any(isinstance(b, Api) and ev.rulebook.find(b.path, WebSchema) is not None for b in ev.mro(instance.of))


def _filled_by_environment(ev: Evaluator, instance: Instance) -> tuple[str, ...]:
    """The library's classes that fill the object's fields with settings from outside the program."""
    bases = [b.path for b in ev.mro(instance.of) if isinstance(b, Api)]
    return tuple(path for path in bases if (rule := ev.rulebook.find(path, DataConvert)) is not None and rule.settings)


def _reached(ev: Evaluator, by_method: dict[Scope, Values]) -> Values:
    """What methods put there; those that the application never runs (`train` beside `load`) count only where no other puts anything."""
    told = [method for method, values in by_method.items() if any(not isinstance(v, (Literal, Unknown)) for v in values)]
    dead = [method for method in told if not ev.reach.reaches(method)] if len(told) > 1 else []
    if len(dead) == len(told):
        dead = []
    return frozenset().union(*(values for method, values in by_method.items() if method not in dead))


def _put_by_name(ev: Evaluator, attr: str, name: ir.Expr, store: Store, frame: Frame) -> Values:
    """What `setattr(self, name, value)` puts into `attr`; of `for name, value in given.items()`, the element of that name."""
    bound = frame.scope.bindings.get(store.value.id, []) if isinstance(store.value, ir.Name) else []
    looped = (b.expr.func for b in bound if b.how == "element" and isinstance(b.expr, ir.Call) and not b.expr.args)
    if items := [func.value for func in looped if isinstance(func, ir.Attribute) and func.attr == "items"]:
        given = (v for mapping in items for v in ev.values(mapping, frame) if isinstance(v, Container) or containers.is_bundle(ev, v))
        return frozenset().union(*(ev.element(v, attr) for v in given))
    return ev.stored(store, frame) if Literal(attr) in ev.values(name, frame) else NOTHING


def _stored_by_new(ev: Evaluator, instance: Instance, attr: str) -> Values:
    """What `__new__` puts on the one object that it makes and keeps: `cls._instance.model = load()`."""
    found: set[Value] = set()
    for cls in ev.mro(instance.of):
        if isinstance(cls, UserClass) and "__new__" in cls.scope.bindings:
            kept = (v for v in parameters.made_by_new(ev, cls) if v.site != instance.site)
            found |= {value for one in kept for value in _stored_on(ev, one, attr)}
    return frozenset(found)


def _method_frame(ev: Evaluator, scope: Scope, method: Scope, instance: Instance, cls: UserClass) -> Frame:
    """`__init__` is entered with what this very object was made from; other methods with any caller's arguments.

    A method that the object's class inherits may call what only that class has (`self.net = self.make()`), so it gets the object.
    """
    made = ev.allocation(instance.site)
    if scope is not method:
        return ev.program.generic(scope)
    function = UserFunction(method, ev.class_frame(cls), instance)
    if method.function.name == "__init__" and made is not None:
        if any(isinstance(f, UserFunction) and f.scope is method for f in class_attribute(ev, instance.of, "__init__", instance)):
            return ev.enter(function, ev.bind(function, *made))  # else through super(): the calls of it say what it gets
    return ev.received(function) if cls.scope is not instance.of.scope else ev.program.generic(scope)


def class_attribute(ev: Evaluator, cls: UserClass, attr: str, instance: Instance | None) -> Values:
    """Through the MRO: methods (bound when there is an instance), class attributes, properties, then inherited library API."""
    return _through(ev, ev.mro(cls), attr, instance)


def _through(ev: Evaluator, bases: tuple[UserClass | Api, ...], attr: str, instance: Instance | None) -> Values:
    for base in bases:
        if isinstance(base, Api):
            site = instance.site if instance else None
            path = ev.rulebook.canonical(f"{base.path}{'()' if instance else ''}.{attr}")
            return frozenset({Api(path, site, instance)})
        stored = _stored_on(ev, base, attr) | _stored_by_class(ev, base, attr)
        if found := base.scope.bindings.get(attr):
            frame = ev.class_frame(base)
            return stored | frozenset().union(*(_bound(ev, v, base, instance) for b in found for v in ev.binding(b, frame)))
        if stored:
            return stored
    return NOTHING


def _stored_by_class(ev: Evaluator, cls: UserClass, attr: str) -> Values:
    """`cls.attr = value` in its class methods."""
    found: set[Value] = set()
    for store in ev.program.files[cls.scope.file].attribute_stores.get(attr, ()):
        method = method_of(store.scope)
        if method is not None and method.owner is cls.scope and is_self(store, method):
            if ev.decorated(method.function, ev.program.generic(method), "builtins.classmethod") or method.name == "__new__":
                found |= ev.stored(store)
    return frozenset(found)


def _bound(ev: Evaluator, value: Value, cls: UserClass, instance: Instance | None) -> Values:
    if isinstance(value, Instance):  # a descriptor gives what its `__get__` does
        getters = ev.class_attribute(value.of, "__get__", value) if instance is not None else NOTHING
        called = (f for f in getters if isinstance(f, UserFunction) and f.scope.function.parameters[1:])
        return frozenset().union(*(_gotten(ev, f, value, instance) for f in called if instance is not None)) or frozenset({value})
    if not isinstance(value, UserFunction):
        return frozenset({value})
    function, frame = value.scope.function, ev.program.generic(value.scope)
    if ev.decorated(function, frame, "builtins.staticmethod"):
        return frozenset({value})
    if ev.decorated(function, frame, "builtins.classmethod"):
        return frozenset({UserFunction(value.scope, value.frame, cls)})
    if instance is None:
        return frozenset({value})
    bound = UserFunction(value.scope, value.frame, instance)
    return ev.returned(bound, {}) if is_property(ev, function, frame) else frozenset({bound})


def _gotten(ev: Evaluator, getter: UserFunction, descriptor: Instance, holder: Instance) -> Values:
    """What a descriptor's `__get__` returns, or keeps on the object under a name of its own (`setattr(obj, self.name, self.make())`)."""
    itself, asked, *_ = getter.scope.function.parameters
    given: dict[str, Values] = {itself.name: frozenset({descriptor}), asked.name: frozenset({holder})}
    own = [s for _, s in ev.program.files[getter.scope.file].named_stores if s.scope is getter.scope]
    kept = [s for s in own if getattr(s.target, "id", None) == asked.name]
    return ev.returned(getter, given).union(*(ev.stored(s, ev.enter(getter, given)) for s in kept))


def is_property(ev: Evaluator, function: ir.Function, frame: Frame) -> bool:
    """Whether reading the attribute calls the method: a property, also one by a class of the program that has `__get__`."""
    if ev.decorated(function, frame, *PROPERTIES):
        return True
    found = (v for d in function.decorators if not isinstance(d, ir.Call) for v in ev.values(d, frame.parent or frame))
    return any(isinstance(v, UserClass) and "__get__" in v.scope.bindings for v in found)


def mro(ev: Evaluator, cls: UserClass) -> tuple[UserClass | Api, ...]:
    """The class, its bases depth first, library classes where the program's own end."""
    found: list[UserClass | Api] = [cls]
    for base in cls.scope.definition.bases:
        for value in ev.values(base.value if isinstance(base, ir.Subscript) else base, cls.frame):
            if isinstance(value, UserClass) and value.scope is not cls.scope:
                found += [c for c in ev.mro(value) if c not in found]
            elif isinstance(value, Api) and value.path != "builtins.object" and value not in found:
                found.append(value)
    return tuple(sorted(found, key=lambda c: isinstance(c, Api)))


def super_attribute(ev: Evaluator, attr: str, frame: Frame) -> Values:
    """`super().attr` where `frame` stands: the next class's, bound to the object itself."""
    at: Frame | None = frame
    while at is not None and at.scope.owner is None:
        at = at.parent
    if at is None or at.parent is None or at.parent.parent is None or at.scope.owner is None:
        return NOTHING
    bases = ev.mro(UserClass(at.scope.owner, at.parent.parent))[1:]
    own = at.scope.function.parameters[:1]
    selves = parameters.parameter(ev, own[0], at) if own else NOTHING
    instances = [v for v in selves if isinstance(v, Instance)]
    if not instances:
        return _through(ev, bases, attr, None) or (frozenset({Api("builtins.object.__new__")}) if attr == "__new__" else NOTHING)
    return frozenset().union(*(_through(ev, bases, attr, i) for i in instances))


def _kind(container: Container) -> str:
    """The class of what is displayed, by its path."""
    match container.expr:
        case ir.Mapping():
            return "builtins.dict"
        case ir.Sequence(_, "deque"):
            return "collections.deque"
        case ir.Comprehension(_, "generator"):
            return "builtins.list"
        case ir.Comprehension(_, kind) | ir.Sequence(_, kind):
            return f"builtins.{kind}"
