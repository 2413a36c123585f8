"""Takes a call, gives what its result depends on: into the program's own functions, by the rules of a library's."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Partial, Unknown, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import (
    DataConvert,
    Effect,
    FlowCall,
    ModelPredict,
    TaskEnqueue,
    WebResponse,
)
from triton_migrate.trace import beside, expressions, handed, requested, sites, suspects
from triton_migrate.trace.environment import Env
from triton_migrate.trace.fixed import NOTHING as NONE_FIXED
from triton_migrate.trace.fixed import fixed
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import Break, Call, Cell
from triton_migrate.trace.responses import answered_kind
from triton_migrate.trace.shared import Callee
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk

READERS = frozenset({"get", "getlist", "pop", "get_all"})  # methods of a mapping that take the field's name first


def call(walk: Walk, call: ir.Call, frame: Frame, env: Env) -> Taint:
    step, known = walk.step, len(walk.sites)
    of = call.func.value if isinstance(call.func, ir.Attribute) else call.func
    receiver = walk.given[id(of)] = walk.expr(of, frame, env)
    if isinstance(call.func, ir.Attribute):
        receiver |= expressions.attribute(walk, call.func.value, call.func.attr, frame)
    parts = (*call.args, *(v for _, v in call.keywords))
    for part in parts:
        walk.given[id(part)] = walk.expr(part, frame, env)
    arguments = CLEAN.union(*(walk.given[id(part)] for part in parts))
    taint = receiver | arguments | requested.whole(walk, call, frame)
    if isinstance(call.func, ir.Attribute) and call.func.attr in READERS and call.args:
        taint |= requested.fields(walk, call.func.value, call.args[0], frame)
    callees = walk.shared.callees(call, frame)
    for callee in callees:
        taint |= _called(walk, callee, call, frame, env, receiver, arguments)
        walk.step = step
    values = tuple(callee.value for callee in callees)
    if values and all(isinstance(v, Unknown) for v in values):
        _lost(walk, call, frame, next(v.reason for v in values if isinstance(v, Unknown)))
    _suspect(walk, call, frozenset(values), frame, found=len(walk.sites) > known)
    if len(walk.sites) > known and step is not None and beside.left(walk, call, step) and any(_goes_beside(walk, v) for v in values):
        walk.queue = walk.queue or "thread"
    _changes(walk, call, arguments, frame, env)
    return taint


def _goes_beside(walk: Walk, value: Value) -> bool:
    rules = walk.rulebook.rules_for(value.called) if isinstance(value, Api) else ()
    return any(isinstance(r, (FlowCall, DataConvert)) and r.beside for r in rules)


def _called(walk: Walk, callee: Callee, call: ir.Call, frame: Frame, env: Env, receiver: Taint, arguments: Taint) -> Taint:
    functions, value, rules = callee.functions, callee.value, callee.rules
    if isinstance(value, Partial):
        direct, origin = walk.evaluator.applied(value, call, frame)
        arguments |= expressions.every(walk, value.call.args, value.frame, env)
        return _called(walk, walk.shared.callee(value.function, direct, origin), direct, origin, env, receiver, arguments)
    if functions:
        known, queue = len(walk.sites), callee.queue
        with walk.beside(queue=True) if queue else nullcontext():
            taint = CLEAN.union(*(enter(walk, f, call, frame, env) for f in functions)) | (receiver if len(functions) > 1 else CLEAN)
        if len(walk.sites) > known and queue:
            walk.queue = walk.queue or queue
        run = (sites.network(walk, f, call, frame, env, receiver | arguments) for f in functions)
        return taint.union(*run)
    if not isinstance(value, Api):
        return CLEAN
    if taint := handed.transport(walk, callee.channels, call, frame, arguments):
        rules = tuple(r for r in rules if not isinstance(r, Effect))  # a queue is no state, wherever it is kept
    if walk.step is not None:
        walk.step.called(Call(value, rules, call.at, receiver | arguments))
    for rule in callee.acting:
        if isinstance(rule, ModelPredict):
            taint |= sites.predict(walk, rule, value, call, frame, env, receiver | arguments)
        elif isinstance(rule, WebResponse) and walk.step is not None:
            kind = answered_kind(walk.evaluator, rule, call, frame)
            walk.step.responds = kind if kind != "same" else walk.step.responds
        elif isinstance(rule, FlowCall) and (passed := walk.evaluator.passed_calls(rule, value, call, frame)):
            for target, direct in passed:
                if rule.function == "walk" and isinstance(target, UserFunction):  # here and now, though a plain call may enqueue
                    taint |= enter(walk, target, direct, frame, env)
                else:
                    taint |= _called(walk, walk.shared.callee(target, direct, frame), direct, frame, env, CLEAN, arguments)
            return taint
        elif isinstance(rule, TaskEnqueue):
            taint |= handed.enqueue(walk, rule, value, call, frame, env)
    handed_on = walk.shared.handed(call, frame)  # taken to be called, with anything the call was given
    return taint.union(*(walk.run(entrance, dict.fromkeys(names, receiver | arguments)) for entrance, names in handed_on))


def awaited(walk: Walk, future: ir.Expr, frame: Frame) -> Taint:
    """`await future`: what a worker put into it."""
    apis = walk.evaluator.apis(future, frame)
    return CLEAN.union(*(walk.heap.held(Cell("channel", a.path, str(a.made), lasting=False)) for a in apis))


def enter(walk: Walk, function: UserFunction, call: ir.Call, frame: Frame, env: Env, before: Taint = CLEAN) -> Taint:
    """Walk into a function of the program with what this call gives it; `before` goes to the first parameter that it gives nothing."""
    entering = walk.shared.entering(function, call, frame)
    taints: dict[str, Taint] = {}
    if entering.own:
        taints[entering.own] = _passed(walk, call.func.value, frame, env) if isinstance(call.func, ir.Attribute) else CLEAN
    for name, expr in entering.passed:
        taints[name] = _passed(walk, expr, frame, env)
    for name, exprs in entering.rest:
        taints[name] = CLEAN.union(*(_passed(walk, e, frame, env) for e in exprs))
    if before and entering.missing:
        taints[entering.missing] = before
    if walk.step is not None:
        walk.step.enters.add(function.scope)
    walk.chain.append((call, frame))
    known = walk.fixed if walk.active and frame.scope is walk.active[-1] else NONE_FIXED  # a comprehension's own names hide parameters
    found = walk.run(entering.entrance, taints, fixed(function.scope, dict(entering.passed), call, known))
    walk.chain.pop()
    return found


def _passed(walk: Walk, part: ir.Expr, frame: Frame, env: Env) -> Taint:
    known = walk.given.get(id(part))
    return walk.expr(part, frame, env) if known is None else known


def _changes(walk: Walk, call: ir.Call, arguments: Taint, frame: Frame, env: Env) -> None:
    """A method that changes its receiver (`rows.append(x)`), by rule or because nothing is known and its result is dropped."""
    if not isinstance(call.func, ir.Attribute) or walk.step is None or not (changes := walk.shared.changing(call, frame)):
        return
    dropped = isinstance(walk.step.stmt, ir.Evaluate) and walk.step.stmt.value is call
    if changes == "surely" or dropped:
        taint = arguments | walk.origins.taint(walk.step.number)
        expressions.mutate(walk, call.func.value, taint, frame, env, walk.step, certain=changes == "surely")


def _lost(walk: Walk, call: ir.Call, frame: Frame, reason: str) -> None:
    at = (frame.scope.file, call.at)
    walk.breaks.setdefault(at, Break(Span(frame.scope.file, *call.at), f"{callee_text(call.func)}: {reason}"))


def _suspect(walk: Walk, call: ir.Call, values: Values, frame: Frame, *, found: bool) -> None:
    """Note a call that looks as if it ran a model and could not be followed."""
    if not suspects.looks(call):
        return
    lost = None if found else suspects.suspected(call, values, frame)
    span = Span(frame.scope.file, *call.at)
    if lost is None:
        walk.followed.add(span)
    else:
        walk.suspects.setdefault(span, (lost, callee_text(call.func)))
