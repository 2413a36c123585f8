"""Takes a cut, gives the exception classes the app catches around it: they must come out of the client as what they were."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.plan.cut import Cut
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, UserClass, Value


def caught(evaluator: Evaluator, cut: Cut) -> tuple[str, ...]:
    """Names, as the file of the cut knows them, of the classes that handlers around the cut and around the calls to it catch."""
    found: dict[str, None] = {}
    for site in cut.sites:
        levels = [(call, frame) for call, frame in site.chain if frame.scope is not cut.scope]
        for handler in _around_run(cut):
            _collect(evaluator, handler, cut.frame, cut, found)
        for call, frame in levels:
            for handler in _around_call(frame.scope.function, call):
                _collect(evaluator, handler, frame, cut, found)
    return ("Exception",) if "Exception" in found or "BaseException" in found else tuple(found)


def _around_run(cut: Cut) -> list[ir.Handler]:
    start, end = cut.span.line, cut.span.end_line
    tries = [s for s in flow.flatten(cut.scope.function.body) if isinstance(s, ir.Try)]
    return [h for t in tries for h in t.handlers if t.body[0].at[0] <= start and end <= t.body[-1].at[2]]


def _around_call(function: ir.Function, call: ir.Call) -> list[ir.Handler]:
    tries = [s for s in flow.flatten(function.body) if isinstance(s, ir.Try)]
    return [h for t in tries for h in t.handlers if any(e is call for s in t.body for e in flow.every(s))]


def _collect(evaluator: Evaluator, handler: ir.Handler, frame: Frame, cut: Cut, found: dict[str, None]) -> None:
    if handler.type is None:
        found["Exception"] = None
        return
    types = handler.type.items if isinstance(handler.type, ir.Sequence) else (handler.type,)
    for expr in types:
        for value in evaluator.values(expr, frame):
            if name := _known_as(evaluator, value, cut):
                found[name] = None


def _known_as(evaluator: Evaluator, value: Value, cut: Cut) -> str | None:
    """The name that means this class in the file of the cut."""
    if isinstance(value, Api) and value.path.startswith("builtins."):
        return value.path.removeprefix("builtins.")
    if not isinstance(value, (Api, UserClass)):
        return None
    module = evaluator.program.frames[cut.scope.file]
    return next((n for n in module.scope.bindings if value in evaluator.name(n, module)), None)
