"""Takes a value that the application waits for, gives it without: load() runs before any event loop, and nothing goes on beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import FlowCall

if TYPE_CHECKING:
    from triton_migrate.plan.copied.objects import Objects


def unwaited(objects: Objects, expr: ir.Expr, scope: Scope, where: Span) -> ir.Expr:
    """`load(path)` of `await to_thread(load, path)`; what else is waited for stays, if it is a call of a coroutine of the application."""
    if not any(isinstance(part, ir.Await) for part in flow.walk(expr)):
        return expr
    frame = objects.program.generic(scope)
    if isinstance(expr, ir.Await) and isinstance(call := expr.value, ir.Call) and _waits_once(expr):
        if (plain := called(objects.evaluator, call, frame)) is not None:
            return plain
        functions = [f for v in objects.evaluator.values(call.func, frame) for f in objects.evaluator.callables(v)]
        if functions and all(f.scope.function.is_async for f in functions):
            return expr
    raise objects.closure.stuck("the model is made of something that is waited for", where, "load it in a function that waits for nothing")


def called(evaluator: Evaluator, call: ir.Call, frame: Frame) -> ir.Call | None:
    """The call that `to_thread(load, path)` makes elsewhere."""
    for api in evaluator.apis(call.func, frame):
        rule = evaluator.rulebook.find(api.path, FlowCall)
        if rule is not None and rule.first >= 0 and not rule.each and not rule.given and rule.function != "self":
            return evaluator.handing.direct(rule, call, frame)
    return None


def _waits_once(expr: ir.Await) -> bool:
    return not any(isinstance(part, ir.Await) for part in flow.walk(expr.value))


def text(objects: Objects, expr: ir.Expr, made: ir.Expr, scope: Scope, local: set[str], where: Span) -> str:
    """The text of what `unwaited` made of an expression."""

    def piece(part: ir.Expr) -> str:
        return objects.piece(part, scope, local, where)

    if made is expr and isinstance(expr, ir.Await):
        objects.closure.imports["asyncio"] = "import asyncio"
        return f"asyncio.run({piece(expr.value)})"
    if made is expr or not isinstance(made, ir.Call):
        return piece(expr)
    given = [piece(a) for a in made.args] + [f"{name}={piece(v)}" if name else f"**{piece(v)}" for name, v in made.keywords]
    called = piece(made.func)
    return f"{f'({called})' if isinstance(made.func, ir.Lambda) else called}({', '.join(given)})"
