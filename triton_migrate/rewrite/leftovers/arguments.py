"""Takes a parameter that removed text reads, gives whether it could go, with the arguments of all calls."""

from __future__ import annotations

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import UserClass
from triton_migrate.rewrite.leftovers.record import Leftovers
from triton_migrate.rewrite.operations import RemoveArgument, RemoveParameter
from triton_migrate.rulebook.vocabulary import WebParameter


def parameter_read(left: Leftovers, file: str, scope: Scope, name: str) -> bool:
    """A parameter nothing reads any more, with the arguments of all calls."""
    if (scope, name) in left.parameters or not left.alive(file, scope.function.at) or any(m.scope is scope for m in left.live(file, name)):
        return False
    function = scope.function
    if (file, function.at) in left.kept and _dependency(left, file, scope, name):
        return True
    if any(p.kind.startswith("*") for p in function.parameters):
        return False
    index = [p.name for p in function.parameters].index(name) - (scope.owner is not None)
    if index < 0:
        return function.name == "__init__" and _empty_constructor(left, file, scope)
    calls = _calls_of(left, file, scope)
    if calls is None:
        return False
    if any(isinstance(a, ir.Starred) for p in calls for a in p.call.args) or any(k is None for p in calls for k, _ in p.call.keywords):
        return False
    left.parameters.add((scope, name))
    left.operations.setdefault(file, []).append(RemoveParameter(Span(file, *function.at), name))
    for place in calls:
        given = port(place.call, f"{name}|{index}")
        if given is not None and left.alive(place.scope.file, place.call.at):
            where: int | str = index if index < len(place.call.args) else name
            left.operations.setdefault(place.scope.file, []).append(RemoveArgument(Span(place.scope.file, *place.call.at), where))
            left.remove(place.scope.file, given.at)
    for parameter in function.parameters:
        if parameter.name == name and parameter.annotation is not None:
            left.remove(file, parameter.annotation.at)
    return True


def _calls_of(left: Leftovers, file: str, scope: Scope) -> list[CallPlace] | None:
    """All calls of a constructor or of a plain function; None when somebody else may call it."""
    function, program = scope.function, left.evaluator.program
    if scope.owner is not None:
        if function.name != "__init__":
            return None
        cls = UserClass(scope.owner, program.generic(scope.owner).parent or program.frames[file])
        if _made_by_others(left, scope.owner):
            return None
        places = [p for n in (scope.owner.name, "cls") for p in program.calls(n)]
        return [p for p in places if cls in left.evaluator.values(p.call.func, program.generic(p.scope))]
    if scope.parent is None or scope.parent.kind != "module" or function.decorators:
        return None
    named = [m for m in left.live(file, function.name) if isinstance(m.expr, ir.Name)]
    calls = [p for p in program.calls(function.name) if p.scope.file == file]
    called = {id(p.call.func) for p in calls}
    if left.used_elsewhere(file, function.name) or function.name in left.mentions.strings[file]:
        return None
    return calls if all(id(m.expr) in called for m in named) else None


def _made_by_others(left: Leftovers, owner: Scope) -> bool:
    """Whether a class is handed to something that may make objects of it (`View.as_view("view", model)`, `Depends(Service)`)."""
    for mention in (m for names in left.mentions.names.values() for m in names.get(owner.name, ()) if left.alive(m.scope.file, m.expr.at)):
        parts = tuple(flow.every(mention.stmt))
        annotated = {id(p.key) for p in parts if isinstance(p, ir.Subscript)}  # `Annotated[Service, Depends()]`
        for part in parts:
            asked = isinstance(part, ir.Attribute) and part.value is mention.expr and part.attr not in owner.bindings
            given = isinstance(part, ir.Call) and any(a is mention.expr for a in (*part.args, *(v for _, v in part.keywords)))
            if asked or given or (id(part) not in annotated and any(e is mention.expr for e in _kept_by(part))):
                return True
    return False


def _kept_by(part: ir.Expr) -> tuple[ir.Expr | None, ...]:
    """What a display or a choice of several holds, for others to call (`ENGINES = {"linear": Linear}`)."""
    match part:
        case ir.Mapping(_, _, values):
            return values
        case ir.Sequence(_, _, items):
            return items
        case ir.Conditional(_, _, then, orelse):
            return (then, orelse)
    return ()


def _empty_constructor(left: Leftovers, file: str, scope: Scope) -> bool:
    """An `__init__` of which nothing is left but `self`."""
    function = scope.function
    others = {p.name for p in function.parameters[1:]} - {n for s, n in left.parameters if s is scope}
    if others or any(left.alive(file, s.at) for s in function.body):
        return False
    body = scope.owner.definition.body if scope.owner is not None else ()
    stmt = next((s for s in body if isinstance(s, ir.Define) and s.function is function), None)
    if stmt is None or len(body) == 1:
        return False
    left.delete(file, stmt)
    return True


def _dependency(left: Leftovers, file: str, scope: Scope, name: str) -> bool:
    """`model=Depends(get_model)` of a handler that no longer uses it."""
    parameter = next(p for p in scope.function.parameters if p.name == name)
    frame = left.evaluator.program.generic(scope).parent or left.evaluator.program.frames[file]
    apis = left.evaluator.apis(parameter.default.func, frame) if isinstance(parameter.default, ir.Call) else ()
    if not any((r := left.evaluator.rulebook.find(a.path, WebParameter)) and r.source == "dependency" for a in apis):
        return False
    left.parameters.add((scope, name))
    left.operations.setdefault(file, []).append(RemoveParameter(Span(file, *scope.function.at), name))
    for expr in (parameter.default, parameter.annotation):
        if expr is not None:
            left.remove(file, expr.at)
    return True
