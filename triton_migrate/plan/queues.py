"""Takes what a queue is told about a task, gives what becomes of it when the task is a client of Triton, and what without the queue.

By default the queue stays: the task still runs in its worker, and only the model is elsewhere. So what the queue does for the task goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triton_migrate.base import Span
from triton_migrate.entries.options import Told


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
        "dynamic_batching: priority_levels, default_priority_level (1 is the highest), and `priority` of the request",
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
}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of a task's table."""

    task: str
    option: str
    kind: str
    span: Span
    fate: Fate


def queue_rows(task: str, told: tuple[Told, ...]) -> tuple[QueueRow, ...]:
    return tuple(QueueRow(task, t.name, t.kind, t.span, FATES[t.kind]) for t in told)
