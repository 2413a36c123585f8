"""Takes calls that put work on a queue or onto a channel, walks on where it is taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.channels import Channel
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import (
    ChannelPut,
    ModelPredict,
    TaskEnqueue,
)
from triton_migrate.trace import calls, expressions, sites
from triton_migrate.trace.environment import Env
from triton_migrate.trace.records import Cell
from triton_migrate.trace.shared import Entrance, Transports
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def enqueue(walk: Walk, rule: TaskEnqueue, api: Api, call: ir.Call, frame: Frame, env: Env) -> Taint:
    """Work put on a queue is walked as if called here: its result comes back to whoever waits for it."""
    found, known = CLEAN, len(walk.sites)
    for function, passed in walk.queues.enqueued(rule, api, call, frame):
        with walk.beside(queue=rule.defines != "in-route"):  # a thread of this process may leave with what started it
            found |= calls.enter(walk, function, passed, frame, env, walk.chained if rule.partial else CLEAN)
        if len(walk.sites) > known:
            walk.queue = walk.queue or rule.queue
    if rule.partial:
        walk.chained = found
    return found | _ran(walk, rule, call, frame, env)


def _ran(walk: Walk, rule: TaskEnqueue, call: ir.Call, frame: Frame, env: Env) -> Taint:
    """A model's own method that is put there (`Thread(target=model.generate, kwargs=...)`) runs the model."""
    found, given = CLEAN, port(call, rule.callee)
    for value in walk.evaluator.values(given, frame) if given is not None else ():
        if isinstance(value, Api) and (predict := walk.rulebook.find(value.called, ModelPredict)):
            taint = expressions.every(walk, (*call.args, *(v for _, v in call.keywords)), frame, env)
            found |= sites.predict(walk, predict, value, walk.evaluator.handing.direct(rule, call, frame), frame, env, taint)
    return found


def transport(walk: Walk, channels: Transports, call: ir.Call, frame: Frame, taint: Taint) -> Taint:
    """What is put onto a channel is walked on in the loop that takes it; what is taken is what was put."""
    found = CLEAN
    for rule, channel in channels:
        cell = Cell("channel", channel.carrier, str(channel.name), lasting=False)
        if isinstance(rule, ChannelPut) and walk.step is not None:
            walk.heap.put(cell, taint | walk.origins.taint(walk.step.number), walk.step)
            _worked(walk, channel, call, frame)
        found |= walk.heap.held(cell)
    return found


def _worked(walk: Walk, channel: Channel, call: ir.Call, frame: Frame) -> None:
    """Enter the workers of a channel, once something was put there."""
    known, step = len(walk.sites), walk.step
    for worker in walk.queues.workers(channel):
        if step is not None:
            step.enters.add(worker.scope)
        with walk.beside(queue=True):
            walk.chain.append((call, frame))
            walk.run(Entrance(worker, {}), {})
            walk.chain.pop()
    if len(walk.sites) > known:
        walk.queue = walk.queue or "thread"
