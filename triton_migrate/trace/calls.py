"""Takes a call, gives what its result depends on: into the program's own functions, by the rules of a library's."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Partial, UserFunction
from triton_migrate.rulebook.vocabulary import (
    DataConvert,
    Effect,
    FlowCall,
    ModelPredict,
    TaskEnqueue,
    WebResponse,
)
from triton_migrate.trace import beside, expressions, handed, requested, sites
from triton_migrate.trace.environment import Env
from triton_migrate.trace.fixed import NOTHING as NONE_FIXED
from triton_migrate.trace.fixed import fixed
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import Break, Call, Cell
from triton_migrate.trace.responses import answered_kind
from triton_migrate.trace.shared import Callee, Place
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def call(walk: Walk, call: ir.Call, frame: Frame, env: Env) -> Taint:
    step, known, shared, given = walk.step, len(walk.sites), walk.shared, walk.given
    of = call.func
    if isinstance(of, ir.Attribute):
        base, attr = of.value, of.attr
        receiver = given[id(base)] = expressions.expr(walk, base, frame, env)
        if shared.attribute(base, attr, frame):
            receiver |= expressions.attribute(walk, base, attr, frame)
    else:
        receiver = given[id(of)] = expressions.expr(walk, of, frame, env)
    for part in call.args:
        given[id(part)] = expressions.expr(walk, part, frame, env)
    for _, part in call.keywords:
        given[id(part)] = expressions.expr(walk, part, frame, env)
    place = shared.place(call, frame)
    arguments = CLEAN.union(*(given[part] for part in place.parts))
    taint = receiver | arguments
    if place.asked:
        taint |= requested.whole(walk, call, frame)
    if place.sources and isinstance(of, ir.Attribute):
        taint |= requested.fields(walk, of.value, call.args[0], frame)
    for callee in place.callees:
        taint |= _called(walk, callee, call, frame, env, receiver, arguments)
        walk.step = step
    if place.unknown is not None:
        walk.breaks.setdefault((frame.scope.file, call.at), Break(place.span, f"{callee_text(of)}: {place.unknown.reason}"))
    if place.looks:
        _suspect(walk, place, call, found=len(walk.sites) > known)
    if len(walk.sites) > known and step is not None and beside.left(walk, call, step) and any(_goes_beside(walk, c) for c in place.callees):
        walk.queue = walk.queue or "thread"
    if place.changing and step is not None and isinstance(of, ir.Attribute):
        dropped = isinstance(step.stmt, ir.Evaluate) and step.stmt.value is call
        if place.changing == "surely" or dropped:  # `rows.append(x)`, by rule or because nothing is known and its result is dropped
            taken = arguments | walk.origins.taint(step.number)
            expressions.mutate(walk, of.value, taken, frame, env, step, certain=place.changing == "surely")
    return taint


def _goes_beside(walk: Walk, callee: Callee) -> bool:
    rules = walk.rulebook.rules_for(callee.value.called) if isinstance(callee.value, Api) else ()
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
    taint = CLEAN
    if callee.channels and (taint := handed.transport(walk, callee.channels, call, frame, arguments)):
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
    if not (handed_on := walk.shared.handed(call, frame)):  # taken to be called, with anything the call was given
        return taint
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
    return expressions.expr(walk, part, frame, env) if known is None else known


def _suspect(walk: Walk, place: Place, call: ir.Call, *, found: bool) -> None:
    """Note a call that looks as if it ran a model, and whether it could be followed."""
    if found or place.lost is None:
        walk.followed.add(place.span)
    else:
        walk.suspects.setdefault(place.span, (place.lost, callee_text(call.func)))
