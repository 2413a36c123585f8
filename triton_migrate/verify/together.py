"""Takes requests whose answers are known, sends them many at once, gives each answer: does a row depend on who shares its batch?

One after the other proves nothing about that: a batch of one mixes with nobody. Neighbours in a batch are made to differ.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.triton import ModelStatistics
from triton_migrate.verify.client import Client, Reply, client
from triton_migrate.verify.records import Difference, MixedUp, Together
from triton_migrate.verify.requests import RecordedRequest

CLIENTS = 32
TURNS = 3  # each client sends so many
DEADLINE = 20.0  # seconds after which no client starts another
MOST = 32  # different requests
LEAST = 4  # clients
GATHERED = 60.0  # seconds that all clients have to be there
SETTLED = 0.3  # seconds: Triton's counters rise a moment after the answers went out
Requests = tuple[RecordedRequest, ...]
Judge = Callable[[RecordedRequest, Reply], tuple[Difference, ...]]  # how a reply differs from what the original first answered
Statistics = Callable[[], tuple[ModelStatistics, ...]]


class Answered(NamedTuple):
    request: RecordedRequest
    reply: Reply


class Crowd(NamedTuple):
    """How many clients at once, and how many requests each."""

    clients: int
    turns: int

    @classmethod
    def of(cls, seconds: float) -> Crowd:
        """As large as the deadline allows where a request takes so many seconds alone."""
        patient = int(DEADLINE / max(seconds, 1e-3))
        clients = max(min(CLIENTS, patient), LEAST)
        return cls(clients, TURNS if clients * TURNS <= patient else 1)


def among_others(
    asked: Requests, seconds: float, judge: Judge, original: Client, port: Client, check: Callable[[], None], statistics: Statistics
) -> Together | None:
    """What the port answers to all of `asked` when they come together. None where the original answers none of them twice alike.

    What differs is asked of the original in the same way: a difference that it shows itself is none of the port's.
    """
    steady = tuple(repeatable(asked, judge, original))
    if not steady:
        return None
    crowd, before = Crowd.of(seconds), statistics()
    answers = together(steady, port, crowd, check)
    time.sleep(SETTLED)
    batch = _rows_per_call(before, statistics())
    wrong = {answer.request.id: found for answer in answers if (found := judge(*answer))}
    if wrong:
        own = {answer.request.id for answer in together(steady, original, crowd, check) if judge(*answer)}
        answers = tuple(answer for answer in answers if answer.request.id not in own)
        steady = tuple(request for request in steady if request.id not in own)
        wrong = {name: found for name, found in wrong.items() if name not in own}
    return Together(
        clients=crowd.clients,
        sent=len(answers),
        equal=sum(not judge(*answer) for answer in answers),
        distinct=len(steady),
        rows_per_call=batch,
        left_out=tuple(request.id for request in asked if request not in steady),
        mixed_up=tuple(MixedUp(name, one) for name, found in sorted(wrong.items()) for one in found),
    )


def _rows_per_call(before: tuple[ModelStatistics, ...], after: tuple[ModelStatistics, ...]) -> float | None:
    """Of the model that batched most since."""
    known = {(row.name, row.version): row for row in before}
    means = []
    for row in after:
        first = known.get((row.name, row.version), ModelStatistics(row.name, row.version, 0, 0, 0))
        if calls := row.execution_count - first.execution_count:
            means.append((row.inference_count - first.inference_count) / calls)
    return round(max(means), 2) if means else None


def together(asked: Requests, session: Client, crowd: Crowd, check: Callable[[], None]) -> tuple[Answered, ...]:
    """Clients that each begin with another of `asked`, all at the same moment. `check` raises when the app's process died."""
    prepared = {request.id: session.prepare(request) for request in asked}
    start, until = threading.Barrier(crowd.clients), time.monotonic() + DEADLINE

    def one(number: int) -> list[Answered]:
        answers: list[Answered] = []
        with client(session.url) as own:
            start.wait(GATHERED)
            for turn in range(crowd.turns):
                if turn and time.monotonic() > until:
                    break
                request = asked[(number + turn) % len(asked)]
                answers.append(Answered(request, own.send_prepared(request, prepared[request.id])))
        return answers

    try:
        with ThreadPoolExecutor(crowd.clients) as pool:
            answers = [answer for answers in pool.map(one, range(crowd.clients)) for answer in answers]
    except threading.BrokenBarrierError as trouble:
        message = f"{crowd.clients} clients that ask at once were not all started within {GATHERED:.0f} s"
        raise TritonMigrateError(message, hint="the machine is very busy: try again later") from trouble
    if any(answer.reply.status is None for answer in answers):
        check()
    return tuple(answers)


def repeatable(asked: Requests, judge: Judge, session: Client) -> Iterator[RecordedRequest]:
    """Those that the original answers once more as it did: what a request leaves behind must not show. As many as time allows."""
    until = time.monotonic() + DEADLINE
    for request in asked[:MOST]:
        if time.monotonic() < until and not judge(request, session.send(request)):
            yield request
