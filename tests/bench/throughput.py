"""Prints how many requests a second an app answers, its port, and a port by others: python tests/bench/throughput.py [--against TREE]

All are up at once and loaded in turns, one at a time, so that a busy machine hits all of them; the ratios are medians over the rounds.
Nothing is asserted. CPU is what a request costs in the application and in Triton, in milliseconds of the processor.

    throughput.py                                    the bundled fastapi_shapes
    throughput.py --app APP --requests FILE --make make_models.py --against HAND_PORT
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sides import Side, arguments, prepared, serving

from triton_migrate.verify.load import Measured, drive


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--against", type=Path, help="another port of the same app, to be measured beside ours")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    with prepared(options) as case, serving(case, options.against) as sides:
        for connections in options.connections:
            _print(connections, sides, _rounds(sides, connections, options.seconds, options.rounds))


@dataclass(frozen=True, slots=True)
class Round:
    """One side in one round, with the processor's milliseconds a request took in the application and in Triton."""

    load: Measured
    app_ms: float
    triton_ms: float


def _rounds(sides: list[Side], connections: int, seconds: float, rounds: int) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {side.name: [] for side in sides}
    for side in sides:
        drive(side.target, connections, 1.0)
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            before = side.cpu
            load = drive(side.target, connections, seconds)
            app, triton = (1e3 * (b - a) / max(len(load.took), 1) for a, b in zip(before, side.cpu, strict=True))
            found[side.name].append(Round(load, app, triton))
    return found


def _print(connections: int, sides: list[Side], found: dict[str, list[Round]]) -> None:
    print(f"{connections} connections")
    for side in sides:
        mine = found[side.name]
        columns = zip(*((r.load.rps, r.load.ms(50), r.load.ms(99), r.app_ms, r.triton_ms) for r in mine), strict=True)
        rps, fifty, late, app, triton = (median(values) for values in columns)
        errors = sum(r.load.errors for r in mine)
        rows = sum(s.inference_count for s in side.triton.statistics()) if side.triton else 0
        calls = sum(s.execution_count for s in side.triton.statistics()) if side.triton else 0
        stacked = f", {rows / calls:.1f} rows a call so far" if calls else ""
        print(f"  {side.name:8} {rps:8.1f} req/s   p50 {fifty:7.1f} ms   p99 {late:7.1f} ms   errors {errors}", end="")
        print(f"   CPU {app:5.2f} + {triton:5.2f} ms{stacked}", flush=True)
    for one, two in (("port", "original"), ("port", "other"), ("other", "original")):
        if one in found and two in found:
            ratios = sorted(a.load.rps / b.load.rps for a, b in zip(found[one], found[two], strict=True))
            print(f"  {one} / {two}: {median(ratios):.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)


if __name__ == "__main__":
    main()
