"""Takes a parameter of a function that makes an object, gives what the web framework gives it: a call of the dependency it names.

`settings: Settings = Depends(get_settings)`, and the same in an annotation: load() makes that call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import UserFunction
from triton_migrate.rulebook.vocabulary import WebParameter

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure

DEPTH = 4  # dependencies of dependencies


def provided(closure: Closure, scope: Scope, name: str, where: Span, depth: int = DEPTH) -> str | None:
    """The call, after what it needs was required; None where the framework gives something of the request, or nothing."""
    for function in _dependencies(closure, scope, name):
        own = [p.name for p in function.function.parameters if p.default is None or _marked(closure, function, p)]
        given = {p: provided(closure, function, p, where, depth - 1) if depth else None for p in own}
        if function.parent is None or function.parent.kind != "module" or function.function.is_generator or None in given.values():
            return None
        arguments = ", ".join(f"{p}={call}" for p, call in given.items())
        return f"{closure.require(function.file, function.name, where)}({arguments})"
    return None


def _dependencies(closure: Closure, scope: Scope, name: str) -> Iterator[Scope]:
    """The functions that give the parameter its value."""
    parameter = next((p for p in scope.function.parameters if p.name == name), None)
    for call, frame, rule in _marks(closure, scope, parameter) if parameter is not None else ():
        for value in closure.evaluator.values(port(call, rule.dependency), frame):
            if isinstance(value, UserFunction) and not value.scope.function.is_async:
                yield value.scope


def _marked(closure: Closure, scope: Scope, parameter: ir.Parameter) -> bool:
    return any(True for _ in _marks(closure, scope, parameter))


def _marks(closure: Closure, scope: Scope, parameter: ir.Parameter) -> Iterator[tuple[ir.Call, Frame, WebParameter]]:
    """`Depends(f)` in a parameter's default or annotation."""
    evaluator = closure.evaluator
    outer = evaluator.program.generic(scope).parent or evaluator.program.frames[scope.file]
    places = [(e, outer) for e in (parameter.default, parameter.annotation) if e is not None]
    if parameter.annotation is not None and (named := evaluator.type_alias(parameter.annotation, outer)):
        places.append(named)
    for expr, frame in places:
        for call in (p for p in walk(expr) if isinstance(p, ir.Call)):
            for api in evaluator.apis(call.func, frame):
                rule = evaluator.rulebook.find(api.called, WebParameter)
                if rule is not None and rule.source == "dependency" and rule.dependency:
                    yield call, frame, rule
