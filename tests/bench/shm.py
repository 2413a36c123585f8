"""Takes nothing, prints how long a call of a model takes through shared memory, as network tensors, and in process, side by side.

The model gives back a tenth of what it is given, on the real Triton, so that the way is what is measured. Memory and network take turns
call by call in one process, since two processes are not woken alike; absolute times mean little on a shared machine.
Run it by hand: `python tests/bench/shm.py`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from triton_migrate import api
from triton_migrate.server import Ports, running

SIZES = {"1 KB": 1_000, "150 KB": 150_000, "1 MB": 1_000_000, "4 MB": 4_000_000, "40 MB": 40_000_000}
TURNS, CALLS = 10, 20
LARGE, FEWER = 10_000_000, 3  # bytes from which a turn has that many calls
WAYS = ("memory http", "network http", "memory grpc", "network grpc", "in process")

SCRIPT = '''
import joblib
import numpy as np

model = joblib.load("tenth.joblib")
for row in np.ones((2, 4)):
    print(model.predict(row[None]))
'''  # fmt: skip
MODEL = '''
class Tenth:
    def predict(self, rows):
        return rows[: len(rows) // 10]
'''  # fmt: skip
WORKER = '''
import json, sys, time
import numpy as np
from triton_serving import models, shared_memory

rows = {size: np.ones((max(size // 4000, 1), min(size // 4, 1000)), np.float32) for size in %r}
shared = json.loads(%r)  # of each way of this process, whether it uses memory
def call(size, usable):
    shared_memory._state.unusable = set() if usable else {"cpu"}
    start = time.perf_counter()
    models.tenth.predict(rows[size])
    return time.perf_counter() - start
for size in rows:
    for usable in shared.values():
        call(size, usable)
print("ready", flush=True)
for line in sys.stdin:
    size, calls = map(int, line.split())
    took = {way: [] for way in shared}
    for number in range(calls):
        for way in sorted(shared, reverse=number %% 2):
            took[way].append(call(size, shared[way]))
    print(json.dumps(took), flush=True)
'''  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="triton-migrate-bench-") as folder:
        port = _port(Path(folder, "app"))
        with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
            urls = {"http": triton.url, "grpc": f"grpc://{triton.grpc_url}"}
            workers = [_worker(port, url, {f"memory {name}": True, f"network {name}": False}) for name, url in urls.items()]
            workers.append(_worker(port, "inprocess", {"in process": True}))
            measured = {size: _measured(workers, size) for size in SIZES.values()}
            for worker in workers:
                worker.communicate()
    _print(measured)


def _port(app: Path) -> Path:
    app.mkdir()
    (app / "score.py").write_text(SCRIPT)
    (app / "tenth.py").write_text(MODEL)
    make = "import joblib, tenth; joblib.dump(tenth.Tenth(), 'tenth.joblib')"
    subprocess.run([sys.executable, "-c", make], cwd=app, check=True)
    api.apply(app, write=True, inprocess=True)
    return app


def _worker(port: Path, url: str, shared: dict[str, bool]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER % (list(SIZES.values()), json.dumps(shared))]
    env = {**os.environ, "TRITON_URL": url}
    worker = subprocess.Popen(
        command, cwd=port, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def _measured(workers: list[subprocess.Popen[str]], size: int) -> dict[str, float]:
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(TURNS):
        for worker in workers:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(f"{size} {CALLS if size < LARGE else FEWER}\n")
            worker.stdin.flush()
            for way, times in json.loads(worker.stdout.readline()).items():
                took[way] += times
    return {way: statistics.median(times) for way, times in took.items()}


def _print(measured: dict[int, dict[str, float]]) -> None:
    print(
        f"{'':8}" + "".join(f"{way:>15}" for way in WAYS) + f"{'http ratio':>13}{'grpc ratio':>13}   (median ms; ratio: network / memory)"
    )
    for name, size in SIZES.items():
        row = measured[size]
        ratios = (row["network http"] / row["memory http"], row["network grpc"] / row["memory grpc"])
        print(f"{name:8}" + "".join(f"{row[way] * 1000:15.2f}" for way in WAYS) + "".join(f"{ratio:13.2f}" for ratio in ratios))
    print(json.dumps({name: measured[size] for name, size in SIZES.items()}))


if __name__ == "__main__":
    main()
