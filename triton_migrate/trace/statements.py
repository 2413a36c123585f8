"""Takes statements of a function, walks them in order: each is a step; assigns, merges branches, repeats loops while they carry on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.index.flow import exposed
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace import expressions, protocols
from triton_migrate.trace.environment import Env
from triton_migrate.trace.fixed import decided
from triton_migrate.trace.records import Cell, PredictOrigin, Step
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def block(walk: Walk, body: ir.Block, frame: Frame, env: Env, returned: list[Taint]) -> None:
    for stmt in body:
        _statement(walk, stmt, frame, env, returned)


def _begin(walk: Walk, stmt: ir.Stmt, scope: Scope) -> Step:
    key = (id(scope), stmt.at)
    if (step := walk.begun.get(key)) is None:
        step = walk.begun[key] = Step(len(walk.steps), scope, stmt, len(walk.active))
        walk.steps.append(step)
    walk.step = step
    return step


def _end(walk: Walk, step: Step, taint: Taint) -> Taint:
    step.taint |= taint
    return taint | walk.origins.taint(step.number)


def _statement(walk: Walk, stmt: ir.Stmt, frame: Frame, env: Env, returned: list[Taint]) -> None:
    if isinstance(stmt, (ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom, ir.Declare, ir.Jump)):
        return
    step = _begin(walk, stmt, frame.scope)
    walk.visits += 1
    match stmt:
        case ir.Assign(_, targets, value, _, augmented):
            taint = _end(walk, step, expressions.expr(walk, value, frame, env))
            for target in targets:
                _assign(walk, target, taint, frame, env, step, augmented)
        case ir.Evaluate(_, value):
            taint = _end(walk, step, expressions.expr(walk, value, frame, env))
            if isinstance(value, ir.Yield):
                returned.append(taint)
        case ir.Return(_, value):
            taint = _end(walk, step, expressions.expr(walk, value, frame, env))
            returned.append(taint | walk.decided)
            if len(walk.active) == 1:
                walk.answering |= walk.decided
        case ir.Raise(_, exception, cause):
            _end(walk, step, expressions.expr(walk, exception, frame, env) | expressions.expr(walk, cause, frame, env))
        case ir.Assert(_, test, message):
            _end(walk, step, expressions.expr(walk, test, frame, env) | expressions.expr(walk, message, frame, env))
        case ir.Delete():
            pass
        case ir.If(_, test, body, orelse):
            taint = _end(walk, step, expressions.expr(walk, test, frame, env))
            if walk.fixed and (told := decided(test, walk.fixed)) is not None:
                block(walk, body if told else orelse, frame, env, returned)
            else:
                _branches(walk, (body, orelse), frame, env, returned, taint.only(PredictOrigin))
        case ir.For(_, target, iterable, body, orelse):
            taint = _end(
                walk, step, expressions.expr(walk, iterable, frame, env) | protocols.operated(walk, iterable, "__iter__", CLEAN, frame)
            )

            def once() -> None:
                _assign(walk, target, taint, frame, env, step, False)
                block(walk, body, frame, env, returned)

            _twice(walk, once, stmt, frame, env)
            block(walk, orelse, frame, env, returned)
        case ir.While(_, test, body, orelse):

            def once() -> None:
                walk.step = step
                _end(walk, step, expressions.expr(walk, test, frame, env))
                block(walk, body, frame, env, returned)

            _twice(walk, once, stmt, frame, env)
            block(walk, orelse, frame, env, returned)
        case ir.With(_, items, body):
            for expr, bound in items:
                taint = _end(walk, step, expressions.expr(walk, expr, frame, env))
                if bound is not None:
                    _assign(walk, bound, taint, frame, env, step, False)
            block(walk, body, frame, env, returned)
        case ir.Try(_, body, handlers, orelse, final):
            block(walk, body, frame, env, returned)
            for handler in handlers:
                if handler.name:
                    env.add(handler.name, CLEAN)
                block(walk, handler.body, frame, env, returned)
            block(walk, orelse, frame, env, returned)
            block(walk, final, frame, env, returned)
        case ir.Match(_, subject, cases):
            taint = _end(walk, step, expressions.expr(walk, subject, frame, env))
            for case in cases:
                for name in case.captures:
                    env.add(name, taint)
            _branches(walk, tuple(c.body for c in cases), frame, env, returned)


def _twice(walk: Walk, once: Callable[[], None], loop: ir.For | ir.While, frame: Frame, env: Env) -> None:
    """The rounds of a loop; the second only where it would find something that the first did not."""
    names = dict(env.names)
    seen = walk.heap.watch(once)
    carried = walk.carried.get(id(loop))
    if carried is None:
        carried = walk.carried[id(loop)] = frozenset(exposed((loop,)))
    closures = any(inner.kind == "function" for inner in frame.scope.children.values())  # they see names that the loop does not spell
    if closures or any(names.get(n) != env.names.get(n) for n in carried) or seen.grew:
        once()


def _branches(walk: Walk, blocks: Iterable[ir.Block], frame: Frame, env: Env, returned: list[Taint], decided: Taint = CLEAN) -> None:
    """The arms of a branch, merged. What an arm binds or answers also depends on the predict sites that `decided` which one is taken."""
    before, after, outer = dict(env.names), dict(env.names), walk.decided
    walk.decided |= decided
    for arm in blocks:
        env.names = dict(before)
        block(walk, arm, frame, env, returned)
        for name, taint in env.names.items():
            if taint is not before.get(name):
                after[name] = after.get(name, CLEAN) | taint | decided
    env.names, walk.decided = after, outer


def _assign(walk: Walk, target: ir.Expr, taint: Taint, frame: Frame, env: Env, step: Step, augmented: bool) -> None:
    match target:
        case ir.Name(_, name):
            if name in frame.scope.globals:
                walk.heap.put(Cell("global", frame.scope.file, name), taint, step)
            elif augmented:
                env.add(name, taint)
            else:
                env.names[name] = taint
        case ir.Sequence(_, _, items):
            for item in items:
                _assign(walk, item, taint, frame, env, step, augmented)
        case ir.Starred(_, inner):
            _assign(walk, inner, taint, frame, env, step, augmented)
        case ir.Attribute(_, base, attr):
            for value in walk.evaluator.values(base, frame):
                if cell := walk.cells.of_attribute(value, attr):
                    walk.heap.put(cell, taint, step)
            expressions.mutate(walk, base, taint, frame, env, step)
        case ir.Subscript(_, base, index):
            expressions.mutate(walk, base, taint | expressions.expr(walk, index, frame, env), frame, env, step)
