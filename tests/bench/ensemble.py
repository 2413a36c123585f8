"""Takes nothing, prints how an ensemble compares with its stages asked one by one over HTTP, for each of `tests/ensembles/`.

All go through the port's own client to a real Triton, in turns in one run: medians of a call alone, and calls a second of several
clients at once. "bare" is the ensemble whose networks are steps themselves (`wiring.py`), asked of a second Triton beside the first, in
which Python stages ask the networks; `-` where no network can be a step. Ratios count; absolute times mean little on a shared
machine. Run it by hand: `python tests/bench/ensemble.py [NAME...]`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from triton_migrate import api
from triton_migrate.server import Ports, running

CASES = Path(__file__).resolve().parent.parent / "ensembles"
NAMES = ("flask_two_networks", "fastapi_image_stages", "fastapi_async_stages", "fastapi_vit", "flask_ocr")
TURNS, SECONDS, CLIENTS = 5, 1.0, 8
WAYS = ("ensemble", "stage by stage")
BARE = "bare"
Asked = dict[tuple[str, int], list[list[float]]]

# Asks the ensemble of a captured request, or its steps with their tensors, whatever the application is
WORKER = """
import importlib, json, statistics, sys, threading, time
sys.path.insert(0, %(tests)r)
from ports import answering
from triton_serving import client

captured = {}
infer = client.infer
def kept(model, outputs, /, errors=(), **inputs):
    captured.setdefault(model, (outputs, inputs))
    return infer(model, outputs, errors=errors, **inputs)
client.infer = kept
case = json.loads(%(case)r)
module, _, name = case["target"].partition(":")
application = getattr(importlib.import_module(module), name)
ask = answering._flask if type(application).__module__.startswith("flask") else answering._fastapi
ask(application, case["requests"][:1])
client.infer = infer
((model, (outputs, inputs)),) = list(captured.items())[:1]
config = client._Local.config(client.REPOSITORY / model / "config.pbtxt")

def ensemble():
    client.infer(model, outputs, **inputs)

def stages():
    known = dict(inputs)
    for step in config.ensemble_scheduling.step:
        made = client.infer(step.model_name, list(step.output_map), **{p: known[t] for p, t in step.input_map.items()})
        known.update({step.output_map[port]: array for port, array in made.items()})

ways = {"ensemble": ensemble, "stage by stage": stages}
print("ready", flush=True)
for line in sys.stdin:
    way, seconds, clients = json.loads(line)
    call, took, end = ways[way], [], time.perf_counter() + seconds
    def work():
        while time.perf_counter() < end:
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
    threads = [threading.Thread(target=work) for _ in range(clients)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(json.dumps([statistics.median(took), len(took) / seconds]), flush=True)
"""


def main(names: tuple[str, ...]) -> None:
    columns = "".join(f"{way:>16}" for way in (*WAYS, BARE))
    print(f"{'pipeline':22}{'stages':>7}{'':12}{columns}{'ensemble/stages':>17}{'bare/ensemble':>15}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="triton-migrate-bench-") as folder:
            _measure(CASES / name, Path(folder))


def _measure(case: Path, folder: Path) -> None:
    asking, bare = folder / "asking", folder / "bare"  # the Python stages ask the networks; the networks are stages
    shutil.copytree(case / "app", asking)
    subprocess.run([sys.executable, case / "make_models.py"], cwd=asking, check=True, capture_output=True)
    api.apply(asking, write=True)
    shutil.copytree(asking, bare)
    wiring = asking / "triton_serving" / "wiring.py"
    wiring.unlink(missing_ok=True)
    told = (case / "case.json").read_text()
    count = max(len(stages) for stages in json.loads(told)["ensembles"].values())
    with ExitStack() as stack:
        workers = {way: worker for worker in [_worker(stack, asking, told)] for way in WAYS}
        if (bare / "triton_serving" / "wiring.py").is_file():
            workers[BARE] = _worker(stack, bare, told)
        found: Asked = {}
        for turn in range(TURNS):
            for clients in (1, CLIENTS):
                for way, worker in sorted(workers.items(), reverse=bool(turn % 2)):
                    assert worker.stdin is not None
                    assert worker.stdout is not None
                    print(json.dumps([WAYS[0] if way == BARE else way, SECONDS, clients]), file=worker.stdin, flush=True)
                    found.setdefault((way, clients), []).append(json.loads(worker.stdout.readline()))
        for worker in {worker.pid: worker for worker in workers.values()}.values():
            worker.communicate()
    _print(case.name, count, found)


def _worker(stack: ExitStack, port: Path, told: str) -> subprocess.Popen[str]:
    triton = stack.enter_context(running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None))
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER % {"tests": str(CASES.parent), "case": told}], cwd=port,
        env={"TRITON_URL": triton.url, "PYTHONPATH": "."}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def _print(name: str, count: int, found: Asked) -> None:
    alone = {way: statistics.median(took for took, _ in found[way, 1]) * 1000 for way, clients in found if clients == 1}
    many = {way: statistics.median(rate for _, rate in found[way, CLIENTS]) for way, clients in found if clients == CLIENTS}
    for unit, values, digits in (("alone, ms", alone, 2), (f"{CLIENTS}, calls/s", many, 0)):
        cells = "".join(f"{f'{values[way]:.{digits}f}' if way in values else '-':>16}" for way in (*WAYS, BARE))
        ratio = f"{values[BARE] / values[WAYS[0]]:.2f}" if BARE in values else "-"
        print(f"{name:22}{count:>7}{unit:>12}{cells}{values[WAYS[0]] / values[WAYS[1]]:>17.2f}{ratio:>15}", flush=True)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or NAMES)
