"""Takes what a queue is told about a task, gives what becomes of it when the task is a client of Triton, and what without the queue.

By default the queue stays: the task still runs in its worker, and only the model is elsewhere. So what the queue does for the task goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from triton_migrate.base import Span
from triton_migrate.entries.options import Told
from triton_migrate.entries.records import Entry
from triton_migrate.plan.records import QueuePolicy
from triton_migrate.trace.records import Pipeline


@dataclass(frozen=True, slots=True)
class Fate:
    """`kept` says what goes on. Without the queue it would be "mapped" to `setting` of Triton, or "lost" ("")."""

    kept: str
    setting: str = ""

    @property
    def without(self) -> Literal["mapped", "lost"]:
        return "mapped" if self.setting else "lost"


FATES = {
    "retries": Fate("the task raises as before, Triton being down among it, and the queue runs it again"),
    "late-ack": Fate("the message is acknowledged when the task is done: a lost worker's job asks Triton again"),
    "delay": Fate("the queue holds the job back; Triton sees it when a worker takes it"),
    "expiry": Fate(
        "the queue drops what waited too long for a worker",
        "dynamic_batching.default_queue_policy: default_timeout_microseconds, timeout_action REJECT (HTTP 503)",
    ),
    "priority": Fate(
        "the queue orders what waits for a worker; what workers ask at the same time is batched together",
        "dynamic_batching.priority_levels, and the priority of each request",
    ),
    "rate-limit": Fate(
        "workers start no more than this", "dynamic_batching.default_queue_policy.max_queue_size: bounds what waits, not a rate (HTTP 503)"
    ),
    "time-limit": Fate(
        "the worker gives up waiting; Triton finishes what it began, so set TRITON_TIMEOUT below it",
        "TRITON_TIMEOUT, and dynamic_batching.default_queue_policy.default_timeout_microseconds for what waits",
    ),
    "workflow": Fate("the queue passes results on from task to task"),
    "result": Fate("results are stored and fetched as before"),
    "routing": Fate("jobs go to the workers that listen there", "a model of its own, with its own instance_group"),
    "concurrency": Fate(
        "it now bounds how many requests wait for Triton at once: more than before pays, for they are batched", "instance_group.count"
    ),
    "in-process": Fate(
        "it goes on beside the request as before: what is under way is lost with its process, never run again; only the model is elsewhere"
    ),
}
IN_PROCESS, BESIDE = "in-process", ("background-task", "thread")
APART = frozenset({"retries", "late-ack", "delay", "rate-limit"})  # what a queue does for one task, and no ensemble for a step
WIRED = "an ensemble with a step for each task, where their number is fixed and each changes nothing but its result"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of a task's table."""

    task: str
    option: str
    kind: str
    span: Span
    fate: Fate


def queue_policy(told: tuple[Told, ...]) -> QueuePolicy | None:
    """What Triton's scheduler is told where there is no queue any more: the shortest time, the smallest number."""
    waits = [t for t in told if t.kind in ("expiry", "time-limit") and isinstance(t.value, (int, float)) and t.value > 0]
    rates = {t: int(m[1]) for t in told if t.kind == "rate-limit" and (m := re.match(r"(\d+)", str(t.value))) and int(m[1])}
    if not waits and not rates:
        return None
    shortest = min((int(float(str(t.value)) * 1e6) for t in waits), default=0)
    return QueuePolicy(shortest, min(rates.values(), default=0), tuple(t.span for t in (*waits, *rates)))


def queue_rows(task: str, told: tuple[Told, ...]) -> tuple[QueueRow, ...]:
    return tuple(QueueRow(task, t.name, t.kind, t.span, _workflow(told) if t.kind == "workflow" else FATES[t.kind]) for t in told)


def beside_rows(pipelines: tuple[Pipeline, ...]) -> tuple[QueueRow, ...]:
    """Routes whose work goes on beside the request in the same process: no queue is told anything about it."""
    return tuple(
        QueueRow(p.entry.handler.scope.name, p.queue, IN_PROCESS, Span(p.entry.file, *p.entry.handler.scope.function.at), FATES[IN_PROCESS])
        for p in pipelines
        if isinstance(p.entry, Entry) and p.queue in BESIDE
    )


def _workflow(told: tuple[Told, ...]) -> Fate:
    """Tasks that are a pipeline in fact could be an ensemble, unless the queue does something for one of them that no step has."""
    own = next((t for t in told if t.kind in APART), None)
    if own is None:
        return replace(FATES["workflow"], setting=WIRED)
    return Fate(f"{FATES['workflow'].kept}; it can be no ensemble, as no step of one has `{own.name}` ({own.span.place})")
