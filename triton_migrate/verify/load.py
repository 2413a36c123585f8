"""Takes the same request for original and port, gives `LoadResult`: load on both, in turns, so that a noisy machine hits both.

Closed loop: each of some connections sends its next request when the last was answered. Open loop: requests come at a rate, whether or
not the last were answered, as the world's do; what has to wait for its turn has waited. Only the side that is measured gets requests.
Who goes first changes from round to round.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from triton_migrate.verify.client import json_object
from triton_migrate.verify.records import Level, LoadRatio, LoadResult, LoadRound, LoadSide
from triton_migrate.verify.requests import Poll
from triton_migrate.verify.wire import BadReplyError, Connection

PAUSE = 0.05  # seconds after an error: a dead server is not to be hammered
POLL_EVERY = 0.01
PATIENCE = 60.0  # seconds after the end that the last requests may take


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`request`: the id to send; None takes the first inference request that answered alike on both sides.

    `connections` is measured in `rounds`, each of `others` once; so is `rate`, requests a second in an open loop.
    """

    connections: int = 16
    others: tuple[int, ...] = ()
    rate: float | None = None
    seconds: float = 5.0
    rounds: int = 3
    warmup: float = 1.0
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One side: where to send what, and the status that counts as success."""

    port: int
    request: bytes
    status: int
    poll: Poll | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One side in one round: the seconds each success took, over `seconds`, and the CPU the client used meanwhile."""

    took: tuple[float, ...]
    errors: int
    seconds: float
    client_cpu: float

    @property
    def rps(self) -> float:
        return len(self.took) / self.seconds

    def ms(self, percent: int) -> float:
        return _percentile(self.took, percent)


def measure_load(request: str, original: Target, port: Target, plan: LoadPlan, say: Callable[[str], None]) -> LoadResult | None:
    """Warm both up, then `plan.rounds` rounds of `plan.seconds` for each side. Both apps have to be up.

    None, with a word to `say`, when a side answered nothing: there is no ratio then.
    """
    sides = {"original": original, "port": port}
    rounds: dict[str, list[Measured]] = {name: [] for name in sides}
    for target in sides.values():
        drive(target, plan.connections, plan.warmup)
    for number in range(plan.rounds):
        for name in sides if number % 2 == 0 else reversed(sides):
            measured = drive(sides[name], plan.connections, plan.seconds)
            if not measured.took:
                say(f"load: the {name} answered none of {plan.connections} connections within {plan.seconds:g} s, so nothing is compared")
                return None
            rounds[name].append(measured)
        say(f"load {number + 1}/{plan.rounds}: original {rounds['original'][-1].rps:.0f} req/s, port {rounds['port'][-1].rps:.0f} req/s")
    levels = tuple(level for level in _levels(original, port, plan, say) if level is not None)
    return _result(request, plan, rounds["original"], rounds["port"], levels)


def _levels(original: Target, port: Target, plan: LoadPlan, say: Callable[[str], None]) -> Iterator[Level | None]:
    for connections in plan.others:
        first, other = (drive(target, connections, plan.seconds) for target in (original, port))
        yield _level(connections, None, first, other, say)
    if plan.rate is not None:
        first, other = (drive_at(target, plan.rate, plan.seconds) for target in (original, port))
        yield _level(plan.connections, plan.rate, first, other, say)


def _level(connections: int, rate: float | None, original: Measured, port: Measured, say: Callable[[str], None]) -> Level | None:
    how = f"{connections} connection{'' if connections == 1 else 's'}" if rate is None else f"{rate:g} requests a second"
    if not (original.took and port.took):
        say(f"load: at {how} the {'port' if original.took else 'original'} answered nothing")
        return None
    say(f"load at {how}: median {original.ms(50):.1f} ms, port {port.ms(50):.1f} ms")
    return Level(connections, rate, _side([original]), _side([port]))


def _result(request: str, plan: LoadPlan, originals: list[Measured], ports: list[Measured], levels: tuple[Level, ...]) -> LoadResult:
    pairs = list(zip(originals, ports, strict=True))
    every = [*originals, *ports]
    return LoadResult(
        request=request,
        connections=plan.connections,
        seconds=plan.seconds,
        rounds=tuple(LoadRound(round(a.rps, 1), round(b.rps, 1), round(b.rps / a.rps, 3)) for a, b in pairs),
        original=_side(originals),
        port=_side(ports),
        ratio=LoadRatio(
            rps=round(median(b.rps / a.rps for a, b in pairs), 3),
            p50_ms=round(median(b.ms(50) / a.ms(50) for a, b in pairs), 3),
            p99_ms=round(median(b.ms(99) / a.ms(99) for a, b in pairs), 3),
        ),
        client_share=round(sum(m.client_cpu for m in every) / sum(m.seconds for m in every), 3),
        levels=levels,
    )


def drive(target: Target, connections: int, seconds: float) -> Measured:
    """Keep `connections` requests in flight for `seconds`; each connection sends one at least."""
    return asyncio.run(_drive(target, connections, seconds))


async def _drive(target: Target, connections: int, seconds: float) -> Measured:
    cpu, started = time.process_time(), time.perf_counter()
    workers = [asyncio.ensure_future(_worker(target, started + seconds)) for _ in range(connections)]
    _, hanging = await asyncio.wait(workers, timeout=seconds + PATIENCE)
    for worker in hanging:
        worker.cancel()
    results = await asyncio.gather(*workers)
    return Measured(
        took=tuple(t for took, _ in results for t in took),
        errors=sum(errors for _, errors in results),
        seconds=time.perf_counter() - started,
        client_cpu=time.process_time() - cpu,
    )


def drive_at(target: Target, rate: float, seconds: float) -> Measured:
    """Send `rate` requests a second for `seconds`, each when its time has come."""
    return asyncio.run(_drive_at(target, rate, seconds))


async def _drive_at(target: Target, rate: float, seconds: float) -> Measured:
    idle: list[Connection] = []
    cpu, started = time.process_time(), time.perf_counter()
    sent = [asyncio.ensure_future(_at(started + number / rate, target, idle)) for number in range(max(1, int(rate * seconds)))]
    _, hanging = await asyncio.wait(sent, timeout=seconds + PATIENCE)
    for one in hanging:
        one.cancel()
    took = await asyncio.gather(*sent, return_exceptions=True)
    for connection in idle:
        connection.close()
    good = tuple(t for t in took if isinstance(t, float))
    return Measured(good, len(took) - len(good), time.perf_counter() - started, time.process_time() - cpu)


async def _at(moment: float, target: Target, idle: list[Connection]) -> float | None:
    """The seconds from the moment the request was due, None for an error. Connections are kept for the next."""
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))
    connection = idle.pop() if idle else Connection(target.port)
    if not await _once(target, connection):
        return None
    idle.append(connection)
    return time.perf_counter() - moment


async def _worker(target: Target, end: float) -> tuple[list[float], int]:
    """The seconds each success took, and the number of errors; a request that had to be given up is one."""
    connection = Connection(target.port)
    took, errors = [], 0
    begun = time.perf_counter()
    try:
        while True:
            if await _once(target, connection):
                took.append(time.perf_counter() - begun)
            else:
                errors += 1
                await asyncio.sleep(PAUSE)
            if (begun := time.perf_counter()) >= end:
                break
    except asyncio.CancelledError:
        errors += 1
    finally:
        connection.close()
    return took, errors


async def _once(target: Target, connection: Connection) -> bool:
    try:
        reply = await connection.ask(target.request)
        if reply.status != target.status:
            return False
        return target.poll is None or await _job(target.poll, connection, reply.body)
    except (BadReplyError, OSError, ValueError, LookupError):
        connection.close()
        return False


async def _job(poll: Poll, connection: Connection, submitted: bytes) -> bool:
    """True when the job ended in the first of the states that end it: the one for success."""
    path = poll.path.format(**json_object(submitted))
    while True:
        reply = await connection.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        state = json_object(reply.body).get(poll.field)
        if state in poll.until:
            return bool(state == poll.until[0])
        await asyncio.sleep(POLL_EVERY)


def _side(rounds: Sequence[Measured]) -> LoadSide:
    took = [t for measured in rounds for t in measured.took]
    rps = len(took) / sum(m.seconds for m in rounds)
    p50, p95, p99 = (round(_percentile(took, percent), 3) for percent in (50, 95, 99))
    return LoadSide(round(rps, 1), p50, p99, sum(m.errors for m in rounds), p95)


def _percentile(took: Sequence[float], percent: int) -> float:
    """Of at least one time in seconds, in milliseconds."""
    ordered = sorted(took)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1e3
