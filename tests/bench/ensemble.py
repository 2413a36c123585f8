"""Takes nothing, prints how an ensemble compares with its stages asked one by one over HTTP, for each of `tests/ensembles/`.

Both go through the port's own client to one real Triton, in turns in one run: medians of a call alone, and calls a second of several
clients at once. Ratios count; absolute times mean little on a shared machine. Run it by hand: `python tests/bench/ensemble.py [NAME...]`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from triton_migrate import api
from triton_migrate.server import Ports, running

CASES = Path(__file__).resolve().parent.parent / "ensembles"
NAMES = ("flask_two_networks", "fastapi_image_stages", "flask_ocr")
TURNS, SECONDS, CLIENTS = 5, 1.0, 8
WAYS = ("ensemble", "stage by stage")

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
    print(f"{'pipeline':24}{'stages':>8}{'alone, ms':>22}{'ratio':>8}{f'{CLIENTS} clients, calls/s':>28}{'ratio':>8}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="triton-migrate-bench-") as folder:
            _measure(CASES / name, Path(folder, "app"))


def _measure(case: Path, port: Path) -> None:
    shutil.copytree(case / "app", port)
    subprocess.run([sys.executable, case / "make_models.py"], cwd=port, check=True, capture_output=True)
    api.apply(port, write=True)
    told = (case / "case.json").read_text()
    count = max(len(stages) for stages in json.loads(told)["ensembles"].values())
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        code = WORKER % {"tests": str(CASES.parent), "case": told}
        worker = subprocess.Popen(
            [sys.executable, "-c", code], cwd=port, env={"TRITON_URL": triton.url, "PYTHONPATH": "."}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        found: dict[tuple[str, int], list[list[float]]] = {}
        for turn in range(TURNS):
            for clients in (1, CLIENTS):
                for way in WAYS if turn % 2 else WAYS[::-1]:
                    print(json.dumps([way, SECONDS, clients]), file=worker.stdin, flush=True)
                    found.setdefault((way, clients), []).append(json.loads(worker.stdout.readline()))
        worker.communicate()
    alone = [statistics.median(took for took, _ in found[way, 1]) * 1000 for way in WAYS]
    many = [statistics.median(rate for _, rate in found[way, CLIENTS]) for way in WAYS]
    told = f"{alone[0]:>10.2f} vs {alone[1]:<8.2f}{alone[0] / alone[1]:>8.2f}{many[0]:>14.0f} vs {many[1]:<10.0f}{many[0] / many[1]:>8.2f}"
    print(f"{case.name:24}{count:>8}{told}")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or NAMES)
