"""Prints how an app and its port bear bursts, whether or not those before are answered: python tests/bench/bursts.py

The load of the porting guide: 50 requests every 100 ms for an image classifier whose model takes up to 64 rows at once. A request counts
as dropped when it fails, or is not answered within `--patience` seconds of its burst. Both sides are up at once and loaded in turns.
Nothing is asserted.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from sides import Side, arguments, prepared, serving

from triton_migrate.verify.load import Target, drive
from triton_migrate.verify.wire import BadReplyError, Connection


@dataclass(frozen=True, slots=True)
class Bursts:
    """`count` times `size` requests, one burst every `every` seconds; each may take `patience` seconds."""

    size: int
    every: float
    count: int
    patience: float


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument(
        "--every", type=float, nargs="+", default=[0.1], help="seconds between bursts; several are tried one after the other"
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--patience", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with prepared(options) as case, serving(case) as sides:
        for side in sides:
            drive(side.target, 16, 1.0)
        for every in options.every:
            bursts = Bursts(options.size, every, int(options.seconds / every), options.patience)
            print(f"{options.size} requests every {every * 1e3:.0f} ms: {options.size / every:.0f} a second")
            for number in range(options.rounds):
                for side in sides if number % 2 == 0 else reversed(sides):
                    _print(side, bursts, asyncio.run(_sent(side.target, bursts)))
                    asyncio.run(_settled(side.target))


def _print(side: Side, bursts: Bursts, took: list[float]) -> None:
    asked = bursts.size * bursts.count
    fifty, late = (1e3 * sorted(took)[int(len(took) * part)] if took else float("nan") for part in (0.5, 0.99))
    dropped = asked - len(took)
    print(f"  {side.name:8} p50 {fifty:7.1f} ms   p99 {late:7.1f} ms   dropped {dropped} of {asked} ({dropped / asked:.0%})", flush=True)


async def _sent(target: Target, bursts: Bursts) -> list[float]:
    """The seconds that each answered request took from the moment its burst was due."""
    idle: list[Connection] = []
    start = time.perf_counter()
    tasks = []
    for number in range(bursts.count):
        due = start + number * bursts.every
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks += [asyncio.ensure_future(_one(target, idle, due, bursts.patience)) for _ in range(bursts.size)]
    took = [t for t in await asyncio.gather(*tasks) if t is not None]
    for connection in idle:
        connection.close()
    return took


async def _settled(target: Target) -> None:
    """Wait until what was given up is worked off, so that the other side has the machine for itself."""
    connection = Connection(target.port)
    quick = 0
    while quick < 5:
        started = time.perf_counter()
        await connection.ask(target.request)
        quick = quick + 1 if time.perf_counter() - started < 0.5 else 0
    connection.close()


async def _one(target: Target, idle: list[Connection], due: float, patience: float) -> float | None:
    """A request on a kept-alive connection that is free, or on a new one; None when it is dropped."""
    connection = idle.pop() if idle else Connection(target.port)
    try:
        reply = await asyncio.wait_for(connection.ask(target.request), max(0.0, due + patience - time.perf_counter()))
    except (OSError, BadReplyError, asyncio.TimeoutError):
        connection.close()
        return None
    idle.append(connection)
    return time.perf_counter() - due if reply.status == target.status else None


if __name__ == "__main__":
    main()
