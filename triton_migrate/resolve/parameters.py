"""Takes a parameter and its frame, gives what it may be: what the calls pass, its default, its annotation, `self`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, last_name
from triton_migrate.resolve.values import NOTHING, Api, Container, Instance, Literal, Site, Unknown, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import TaskDefine, WebRoute

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

INSTANCES = 8  # of one class kept apart; more are one
PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
ABSTRACT = PROTOCOLS | {"abc.ABC"}
BUILT_IN = ("builtins.", "typing.", "typing_extensions.", "collections.abc.")


def parameter(ev: Evaluator, wanted: ir.Parameter, frame: Frame) -> Values:
    if frame.arguments is not None and wanted.name in frame.arguments:
        return frame.arguments[wanted.name] or declared(ev, wanted, frame)
    scope = frame.scope
    if assumed := ev.assumes(scope, wanted.name):
        return assumed
    known = declared(ev, wanted, frame)
    if scope.owner is not None and scope.function.parameters and scope.function.parameters[0] is wanted:
        if not ev.decorated(scope.function, frame, "builtins.staticmethod"):
            return known or _self(ev, scope, frame)
    if known and not all(isinstance(v, (Literal, Unknown)) for v in known):
        passed = _told(ev, wanted, scope) if any(isinstance(v, Instance) for v in known) else NOTHING
        return frozenset(v for v in passed if isinstance(v, Instance)) or known
    return known | _told(ev, wanted, scope)


def _self(ev: Evaluator, scope: Scope, frame: Frame) -> Values:
    assert scope.owner is not None and frame.parent is not None and frame.parent.parent is not None
    cls = UserClass(scope.owner, frame.parent.parent)
    if scope.name == "__init_subclass__":
        return frozenset(heirs(ev, cls)) or frozenset({cls})
    if ev.decorated(scope.function, frame, "builtins.classmethod") or scope.name == "__new__":
        return frozenset({cls})
    return made(ev, cls) or frozenset({Instance(cls, Site(scope.file, scope.owner.definition.at))})


def made(ev: Evaluator, cls: UserClass) -> Values:
    """The instances of a class that the program makes."""
    one: Values = frozenset({Instance(cls, Site(cls.scope.file, cls.scope.definition.at))})
    if cls in ev.many:
        return one
    found: set[Value] = set()
    for place in ev.program.in_use(_constructions(ev, cls.scope), cls.scope.file):
        frame = ev.program.generic(place.scope)
        if cls in ev.values(place.call.func, frame):
            found.add(Instance(cls, Site(place.scope.file, place.call.at)))
            ev.allocated(Site(place.scope.file, place.call.at), place.call, frame)
    found.update(made_by_new(ev, cls))
    found |= {Instance(cls, Site(place.scope.file, place.call.at)) for place in _decorations(ev, cls)}
    if len(found) > INSTANCES:
        ev.many.add(cls)
        return one
    return frozenset(found)


def made_by_new(ev: Evaluator, cls: UserClass) -> tuple[Instance, ...]:
    """The singletons that the class's own `__new__` makes and keeps."""
    calls = (ev.values(p.call, ev.program.generic(p.scope)) for p in ev.program.calls("__new__") if p.scope.owner is cls.scope)
    return tuple(v for made in calls for v in made if isinstance(v, Instance))


def _constructions(ev: Evaluator, cls: Scope) -> Iterator[CallPlace]:
    """Calls that may make an instance: by the class's name, and `cls(...)` in its class methods; where nothing does, by its other names."""
    own = [*ev.program.calls(cls.name), *ev.handing.of(cls.name), *ev.program.class_calls(cls)]
    yield from own
    if all(ev.program.is_test(place.scope.file) for place in own):
        yield from ev.aliases.calls(cls.name)


def _decorations(ev: Evaluator, cls: UserClass) -> Iterator[CallPlace]:
    """Decorators that make an object of the class out of a function: `@app.task(base=ModelTask)`."""
    for name in ev.task_makers:
        for place in ev.program.calls(name):
            if place.decorates is None or all(last_name(v) != cls.scope.name for _, v in place.call.keywords):
                continue
            frame = ev.program.generic(place.scope)
            rules = (ev.rulebook.find(api.called, TaskDefine) for api in ev.apis(place.call.func, frame))
            if any(rule is not None and rule.base and cls in ev.values(port(place.call, rule.base), frame) for rule in rules):
                yield place


def declared(ev: Evaluator, wanted: ir.Parameter, frame: Frame) -> Values:
    """What the annotation and the default say."""
    outer = frame.parent
    if outer is None:
        return NOTHING
    if outer.scope.kind == "class" and outer.parent is not None:
        outer = outer if outer.scope.bindings else outer.parent
    found = annotated(ev, wanted.annotation, outer) if wanted.annotation is not None else NOTHING
    if wanted.default is not None:
        given = ev.values(wanted.default, outer)
        found |= frozenset(v for v in given if not isinstance(v, Literal)) if _is_route(ev, frame.scope, outer) else given
    return found


def _is_route(ev: Evaluator, scope: Scope, outer: Frame) -> bool:
    """Whether clients may pass something else than a parameter's default."""
    called = (d.func if isinstance(d, ir.Call) else d for d in scope.function.decorators)
    return any(ev.rulebook.find(api.called, WebRoute) is not None for d in called for api in ev.apis(d, outer))


def annotated(ev: Evaluator, annotation: ir.Expr, frame: Frame) -> Values:
    """Instances of the classes an annotation names; `Annotated[T, x]` gives T and what x gives (`Depends(f)` gives f's result)."""
    match annotation:
        case ir.Constant(_, str() as text):
            return _quoted(ev, text, frame)
        case ir.Constant():
            return NOTHING
        case ir.Operation(_, "BitOr", operands):
            return frozenset().union(*(annotated(ev, o, frame) for o in operands))
        case ir.Subscript(_, base, index):
            heads = {v.path.rpartition(".")[2] for v in ev.apis(base, frame)}
            items = index.items if isinstance(index, ir.Sequence) else (index,)
            if heads & {"Optional", "Union", "Final", "ClassVar"}:
                return frozenset().union(*(annotated(ev, i, frame) for i in items))
            if "Annotated" in heads:
                return annotated(ev, items[0], frame) | frozenset().union(*(ev.values(i, frame) for i in items[1:]))
            return annotated(ev, base, frame)
    if named := type_alias(ev, annotation, frame):
        return annotated(ev, *named)
    found: set[Value] = set()
    for value in ev.values(annotation, frame):
        found |= instance_of(ev, value, frame, annotation.at)
    return frozenset(found)


def type_alias(ev: Evaluator, annotation: ir.Expr, frame: Frame) -> tuple[ir.Expr, Frame] | None:
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
        path = ev.program.module_path(at.scope.file, stmt.module, stmt.level)
        at = ev.program.frames[path] if path else None
    return None


def _quoted(ev: Evaluator, text: str, frame: Frame) -> Values:
    expr: ir.Expr | None = None
    for part in text.strip().split("."):
        if not part.isidentifier():
            return NOTHING
        expr = ir.Name((0, 0, 0, 0), part) if expr is None else ir.Attribute((0, 0, 0, 0), expr, part)
    return annotated(ev, ev.kept(expr), frame) if expr is not None else NOTHING


def instance_of(ev: Evaluator, value: Value, frame: Frame, at: ir.At) -> Values:
    """An object of the class `value` is, wherever it comes from."""
    match value:
        case UserClass():
            known = made(ev, value) or subclasses_made(ev, value) or implementations(ev, value)
            return known or frozenset({Instance(value, Site(frame.scope.file, at))})
        case Api(path) if not path.endswith(("()", "]")) and not path.startswith(BUILT_IN):
            return frozenset({Api(ev.rulebook.canonical(path + "()"), Site(frame.scope.file, at))})
        case Container(_, ir.Sequence(_, _, items), inner):
            return frozenset().union(*(annotated(ev, i, inner) for i in items))
    return NOTHING


def heirs(ev: Evaluator, cls: UserClass) -> tuple[UserClass, ...]:
    """The program's classes that name a class among their bases."""
    named = (UserClass(s, ev.program.generic(s.parent)) for s in ev.program.subclasses(cls.scope.name) if s.parent is not None)
    return tuple(heir for heir in named if cls in ev.mro(heir))


def subclasses_made(ev: Evaluator, cls: UserClass) -> Values:
    """The instances of the program's direct subclasses: what an annotation with an abstract class or a protocol stands for."""
    found: set[Value] = set()
    for heir in heirs(ev, cls):
        found |= made(ev, heir)
    return frozenset(found)


def implementations(ev: Evaluator, cls: UserClass) -> Values:
    """One object of each class that derives from an abstract class or has all methods of a protocol, though nothing visible makes one."""
    bases = {base.path for base in ev.mro(cls) if isinstance(base, Api)}
    if not bases & ABSTRACT:
        return NOTHING
    methods = {name for name, bound in cls.scope.bindings.items() if bound[0].how == "function" and not name.startswith("_")}
    found: set[Value] = set()
    for file in ev.program.files.values() if methods else ():
        for scope in file.scopes:
            if scope.kind == "class" and scope is not cls.scope and methods <= scope.bindings.keys() and scope.parent is not None:
                other = UserClass(scope, ev.program.generic(scope.parent))
                derived = ev.mro(other)
                if cls in derived or (bases & PROTOCOLS and not PROTOCOLS & {b.path for b in derived if isinstance(b, Api)}):
                    found |= made(ev, other) or {Instance(other, Site(scope.file, scope.definition.at))}
    return frozenset(found) if len(found) <= INSTANCES else NOTHING


def _told(ev: Evaluator, wanted: ir.Parameter, scope: Scope) -> Values:
    return ev.once(("passed", id(wanted)), ev.program.generic(scope), lambda: _passed(ev, wanted, scope))


def _passed(ev: Evaluator, wanted: ir.Parameter, scope: Scope) -> Values:
    """What the program's calls of this function pass for the parameter."""
    function = scope.function
    found: set[Value] = set()
    for place, target in _callers(ev, scope):
        found |= ev.bind(target, place.call, ev.program.generic(place.scope), wanted.name).get(wanted.name, NOTHING)
    bound = scope.owner is not None and not ev.decorated(function, ev.program.generic(scope), "builtins.staticmethod")
    if any(p is wanted for p in function.parameters[bound : bound + 1]):
        found.update(_decorated_by(ev, scope))
    return frozenset(found) if function.parameters else NOTHING


def expressions(ev: Evaluator, wanted: ir.Parameter, frame: Frame) -> list[tuple[ir.Expr, Frame]]:
    """What stands for a parameter in each of the program's calls, with its default where one leaves it out, or where there is none."""
    places = [place for place, _ in _callers(ev, frame.scope)]
    given = [(ev.passed(frame.scope, p.call, ev.program.generic(p.scope)).get(wanted.name), ev.program.generic(p.scope)) for p in places]
    default = [(wanted.default, frame.parent)] if not given or any(expr is None for expr, _ in given) else []
    return [(expr, where) for expr, where in (*given, *default) if expr is not None and where is not None]


def _callers(ev: Evaluator, scope: Scope) -> Iterator[tuple[CallPlace, UserFunction]]:
    """The program's calls of a function."""
    for place in ev.program.in_use(_calls_of(ev, scope), scope.file):
        for value in ev.values(place.call.func, ev.program.generic(place.scope)):
            yield from ((place, target) for target in ev.callables(value) if target.scope is scope)


def _decorated_by(ev: Evaluator, scope: Scope) -> Iterator[Value]:
    """The classes and functions that a decorator of the program gets: `@register` above one, or `@register("name")` that gives it."""
    outer = scope.parent.name if scope.parent is not None and scope.parent.kind == "function" else scope.name
    places = (place for place in ev.program.calls(outer) if place.decorates is not None)
    for place in ev.program.in_use(places, scope.file):
        caller = ev.program.generic(place.scope)
        assert place.decorates is not None
        decorator = place.call if any(d is place.call for d in place.decorates.decorators) else place.call.func
        if any(isinstance(v, UserFunction) and v.scope is scope for v in ev.values(decorator, caller)):
            inner = place.scope.children[id(place.decorates)]
            yield UserClass(inner, caller) if inner.kind == "class" else UserFunction(inner, caller)


def _calls_of(ev: Evaluator, scope: Scope) -> Iterator[CallPlace]:
    yield from ev.program.calls(scope.function.name)
    yield from ev.handing.of(scope.function.name)
    if scope.owner is not None and scope.name == "__init__":
        yield from _constructions(ev, scope.owner)
