"""Takes what pipeline.py holds, gives what it does first: fills the environment from a file, as the application does (`load_dotenv()`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.match import Match
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import Effect

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure

KIND = "environment"
# The library looks for it from the file that calls upwards, and pipeline.py is another file
SEARCH = '''\
def {made}(path):
    """The nearest .env at or above the folder of one of the application's files."""
    files = (folder / ".env" for folder in path.parents)
    return next(filter(Path.is_file, files), None)
'''


def fill(closure: Closure) -> None:
    """Put the calls that fill it on the application's start before everything that may read it."""
    made = ""
    for match in _calls(closure):
        call, scope = match.place.call, match.place.scope
        path = port(call, match.rule.path)
        if path is None or _searches(closure, path, closure.evaluator.program.generic(scope)):
            if not made:
                made = closure.fresh("env_file")
                closure.definitions.append(SEARCH.format(made=made))
            found = f'{made}(APP_ROOT / "{scope.file}")'
        else:
            found = _piece(closure, path, match)
        module, _, name = match.api.path.rpartition(".")
        closure.imports[name] = f"from {module} import {name}"
        closure.libraries[module.split(".")[0]] = None
        others = [_piece(closure, a, match) for a in call.args if a is not path]
        others += [f"{key}={_piece(closure, value, match)}" for key, value in call.keywords if value is not path]
        closure.definitions.append(f"{name}({', '.join((found, *others))})\n")


def _calls(closure: Closure) -> Iterator[Match[Effect]]:
    for match in closure.moments.matcher.find(Effect):
        place = match.place
        if match.rule.kind == KIND and match.rule.path and not closure.evaluator.program.is_test(place.scope.file):
            if closure.evaluator.reach.runs(place.scope, place.call.at):
                yield match


def _piece(closure: Closure, expr: ir.Expr, match: Match[Effect]) -> str:
    scope, where = match.place.scope, Span(match.place.scope.file, *match.place.call.at)
    local = flow.binds(scope.function.body) | {p.name for p in scope.function.parameters} if scope.kind == "function" else set()
    if {n.id for n in flow.names(expr)} & local:
        raise closure.stuck(f"{scope.name} settles which file fills the environment", where, "name the file with a constant")
    return closure.objects.piece(expr, scope, set(), where)


def _searches(closure: Closure, expr: ir.Expr, frame: Frame) -> bool:
    """`find_dotenv()`: the same search."""
    if not isinstance(expr, ir.Call) or expr.args or expr.keywords:
        return isinstance(expr, ir.Constant) and expr.value is None
    rules = (closure.evaluator.rulebook.find(a.called, Effect) for a in closure.evaluator.apis(expr.func, frame))
    return any(rule is not None and rule.kind == KIND for rule in rules)
