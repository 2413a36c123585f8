"""Takes a name and a frame, gives what it may be: scopes, globals filled from functions, imports, star imports, builtins."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve import parameters
from triton_migrate.resolve.containers import entered
from triton_migrate.resolve.scopes import Binding, Frame
from triton_migrate.resolve.values import NOTHING, Api, Literal, Module, Unknown, UserClass, UserFunction, Values

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator


def name(ev: Evaluator, wanted: str, frame: Frame) -> Values:
    """Scope, enclosing functions, module, star imports, builtins."""
    at = frame.holder(wanted)
    if found := at.scope.bindings.get(wanted):
        return _bound(ev, wanted, found, at)
    return _globals(ev, wanted, at) or _starred(ev, wanted, at) or frozenset({Api(f"builtins.{wanted}")})


def _bound(ev: Evaluator, wanted: str, found: list[Binding], at: Frame) -> Values:
    def compute() -> Values:
        bound: Values = frozenset().union(*(binding(ev, b, at) for b in found))
        return bound | _globals(ev, wanted, at) if at.parent is None else bound

    return ev.once(wanted, at, compute)


def _globals(ev: Evaluator, wanted: str, module: Frame) -> Values:
    """What `global wanted` assignments, and stores into the module or into `globals()`, give."""
    found = ev.program.global_bindings(module.scope.file, wanted)
    assigned = frozenset().union(*(binding(ev, b, ev.program.generic(scope)) for scope, b in found))
    outside = ev.stores.attribute(Module(module.scope.file), wanted)
    named = (s for s in ev.stores.element(Api("builtins.globals()"), wanted) if s.scope.file == module.scope.file)
    return assigned | frozenset().union(*(ev.stored(s) for s in (*outside, *named)))


def _starred(ev: Evaluator, wanted: str, module: Frame) -> Values:
    """Through `from m import *`: the program's modules, then libraries whose rules know the name, then any library's."""
    libraries: list[Api] = []
    for star in ev.program.files[module.scope.file].stars:
        found = _from(ev, star, wanted, module)
        if any(not isinstance(v, (Unknown, Api)) for v in found):
            return found
        from_program = ev.program.module_path(module.scope.file, star.module, star.level) is not None
        apis = [v for v in found if isinstance(v, Api)]
        if from_program and apis:
            return found
        libraries += apis
    known = [a for a in libraries if ev.rulebook.rules_for(a.path)]
    if known or hasattr(builtins, wanted):
        return frozenset(known[:1])
    return frozenset(libraries)


def binding(ev: Evaluator, bound: Binding, frame: Frame) -> Values:
    """What one way of getting a value gives the name."""
    match bound.how:
        case "value":
            found = ev.values(bound.expr, frame)
            if isinstance(bound.node, ir.Assign) and bound.node.annotation is not bound.expr:
                found = ev.told(found, bound.node.annotation, frame)
        case "element":
            found = frozenset().union(*(ev.element(v, None) for v in ev.values(bound.expr, frame)))
        case "enter":
            found = frozenset().union(*(entered(ev, v) for v in ev.values(bound.expr, frame)))
        case "import":
            return imported(ev, str(bound.node), frame)
        case "from":
            return _from(ev, *bound.imported, frame)
        case "function":
            # Its decorators are taken to keep the function (routes, caches, `wraps`); rules look at them separately.
            return frozenset({UserFunction(frame.scope.children[id(bound.node)], frame)})
        case "class":
            return frozenset({UserClass(frame.scope.children[id(bound.node)], frame)})
        case "parameter":
            assert isinstance(bound.node, ir.Parameter)
            return parameters.parameter(ev, bound.node, frame)
        case "exception":
            return frozenset().union(*(parameters.instance_of(ev, v, frame, bound.at) for v in ev.values(bound.expr, frame)))
        case _:
            found = NOTHING if bound.expr is None else parameters.annotated(ev, bound.expr, frame)
    for i in bound.unpacked:
        found = frozenset().union(*(ev.element(v, i) for v in found))
    return found


def imported(ev: Evaluator, wanted: str, frame: Frame) -> Values:
    """The module of that name: the program's, a folder of its modules, or a library's."""
    path = ev.program.module_path(frame.scope.file, wanted)
    if path and path != frame.scope.file:
        return frozenset({Module(path)})
    if ev.program.is_package(wanted) and wanted.partition(".")[0] not in ev.rulebook.import_roots:  # else the installed library wins
        return frozenset({Module(wanted.replace(".", "/") + "/")})
    return frozenset({Api(ev.rulebook.canonical(wanted))})


def _from(ev: Evaluator, stmt: ir.ImportFrom, wanted: str, frame: Frame) -> Values:
    path = ev.program.module_path(frame.scope.file, stmt.module, stmt.level)
    whole = f"{stmt.module}.{wanted}" if stmt.module else wanted
    if path and path != frame.scope.file and (found := member(ev, path, wanted)):
        return found
    if sub := ev.program.module_path(frame.scope.file, whole, stmt.level):
        return frozenset({Module(sub)})
    shadowed = path is not None and stmt.module.partition(".")[0] in ev.rulebook.import_roots  # a module of the program is named so too
    if stmt.level or (path and path != frame.scope.file and not shadowed):
        return frozenset({Unknown(f"{whole} is not in {path or 'the program'}")})
    if whole in ev.settings:
        return frozenset({Module(ev.settings[whole])})
    return frozenset({Api(ev.rulebook.canonical(whole))})


def member(ev: Evaluator, path: str, wanted: str) -> Values:
    """An attribute of a module of the program."""
    frame = ev.program.frames[path]
    if wanted in frame.scope.bindings or ev.program.global_bindings(path, wanted):
        return name(ev, wanted, frame)
    return _starred(ev, wanted, frame) or _globals(ev, wanted, frame) or _made_on_demand(ev, wanted, frame)


def _made_on_demand(ev: Evaluator, wanted: str, module: Frame) -> Values:
    """What the module's own `__getattr__` gives for a name that it does not bind."""
    functions = name(ev, "__getattr__", module) if "__getattr__" in module.scope.bindings and not wanted.startswith("__") else NOTHING
    asked = ((f, f.scope.function.parameters[0].name) for f in functions if isinstance(f, UserFunction) and f.scope.function.parameters)
    return frozenset().union(*(ev.returned(f, {parameter: frozenset({Literal(wanted)})}) for f, parameter in asked))
