"""Models served alone: what stands in the application answers as the original, its memory is shared with Triton and never left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from test_port import compiles

from triton_migrate import api
from triton_migrate.server import Ports, running
from triton_migrate.server.triton import Triton

PIDS: set[int] = set()  # processes, as others' memory is none of our business
CASES = [path.parent for path in sorted((Path(__file__).parent / "individual").glob("*/case.json"))]


def ported(folder: Path, to: Path, *, inprocess: bool = False) -> tuple[Path, Path, dict[str, Any]]:
    """Original and port, both with their models."""
    original, port = to / "original", to / "port"
    shutil.copytree(folder / "app", original)
    shutil.copytree(folder / "app", port)
    subprocess.run([sys.executable, folder / "make_models.py"], cwd=original, check=True, timeout=240)
    report = api.apply(port, out=to / "out", write=True, inprocess=inprocess)
    assert report["not_ported"] == []
    shutil.copytree(original, port, dirs_exist_ok=True, ignore=lambda at, names: {n for n in names if (folder / "app" / n).exists()})
    return original, port, json.loads((folder / "case.json").read_text())


def run(tree: Path, case: dict[str, Any], url: str = "") -> tuple[int, str]:
    command = [sys.executable, *case["command"]]
    env = {**os.environ, "TRITON_URL": url, "TRITON_TIMEOUT": "240", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, cwd=tree, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
    PIDS.add(process.pid)
    out, err = process.communicate(case.get("stdin", ""), timeout=240)
    assert process.returncode == 0, err
    return process.returncode, out


def in_memory() -> list[str]:
    """What our processes and their forks have in /dev/shm: `triton-<namespace>-<pid>-<start>-<number>`."""
    named = [name.split("-") for name in os.listdir("/dev/shm") if name.startswith("triton-") and not name.startswith("triton-migrate-")]
    return ["-".join(name) for name in named if int(name[2]) in PIDS]


def regions(triton: Triton) -> list[str]:
    with urllib.request.urlopen(
        urllib.request.Request(f"{triton.url}/v2/systemsharedmemory/status", headers={"Connection": "close"})
    ) as found:
        return [region["name"] for region in json.load(found)]


@pytest.mark.triton
@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_consumer_answers_like_the_original(folder: Path, tmp_path: Path) -> None:
    original, port, case = ported(folder, tmp_path)
    compiles(port)
    expected = run(original, case)
    assert expected[1].count("\n") > 1
    assert run(port, case, "local") == expected
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert sorted(triton.models) == case["models"]
        assert run(port, case, triton.url) == expected
        assert run(port, case, f"grpc://{triton.grpc_url}") == expected
        assert regions(triton) == in_memory() == []
        assert sum(row.request_success for row in triton.statistics()) > 1


# ---------------------------------------------------------------- memory


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Triton]]:
    folder = Path(__file__).parent / "individual" / "csv_lines"
    _, port, _ = ported(folder, tmp_path_factory.mktemp("served"))
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        yield port, triton


def worker(port: Path, what: str, url: str, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("individual_worker.py")), what]
    told = {**os.environ, "TRITON_URL": url, "TRITON_TIMEOUT": "240", **env}
    process = subprocess.Popen(command, cwd=port, env=told, stdin=PIPE, stdout=PIPE, text=True)
    PIDS.add(process.pid)
    return process


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    return {key: value for line in out.splitlines() for key, value in json.loads(line).items()}


def nothing_left(port: Path, triton: Triton) -> bool:
    """Of the regions, once the next worker has come and gone where a busy machine cut an exit short: its start sweeps."""
    for _ in range(3):
        if not regions(triton):
            break
        said(worker(port, "reuse", triton.url))
    return regions(triton) == in_memory() == []


@pytest.mark.triton
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_regions_are_made_once_and_grow(served: tuple[Path, Triton], protocol: str) -> None:
    port, triton = served
    told = said(worker(port, "reuse", triton.url if protocol == "http" else f"grpc://{triton.grpc_url}"))
    assert told["first"] == told["same"]
    assert len(told["first"]) == 2
    assert len(told["grown"]) == 2
    assert not set(told["first"]) & set(told["grown"]), "both were too small"
    assert told["alike"]
    assert told["shape"] == [40_000, 3]
    assert "expecting 4 features" in told["error"]
    assert nothing_left(port, triton)


@pytest.mark.triton
def test_threads_and_forked_workers_have_regions_of_their_own(served: tuple[Path, Triton]) -> None:
    port, triton = served
    told = said(worker(port, "threads", triton.url))
    assert told["wrong"] == []
    assert told["regions"] <= 16
    told = said(worker(port, "fork", triton.url))
    PIDS.add(told.pop("forked"))
    assert told == {"child": True, "shared": [], "parent": True, "kept": True}
    assert nothing_left(port, triton)


@pytest.mark.triton
def test_what_a_killed_worker_leaves_the_next_one_removes(served: tuple[Path, Triton]) -> None:
    port, triton = served
    dying, living = worker(port, "use", triton.url), worker(port, "wait", triton.url)
    left = json.loads(dying.stdout.readline() if dying.stdout else "")["regions"]
    kept = json.loads(living.stdout.readline() if living.stdout else "")["regions"]
    assert (len(left), in_memory()) == (2, []), "a thousand requests need two regions; files are removed as soon as Triton has mapped them"
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert sorted(regions(triton)) == sorted(left + kept)
    said(worker(port, "reuse", triton.url))
    assert sorted(regions(triton)) == kept, "those of a worker that lives stay"
    living.kill()
    living.wait()
    said(worker(port, "reuse", f"grpc://{triton.grpc_url}"))
    assert nothing_left(port, triton)


@pytest.mark.triton
def test_tensors_go_over_the_network_where_memory_cannot_be_shared(served: tuple[Path, Triton]) -> None:
    port, triton = served
    told = said(worker(port, "reuse", triton.url, TRITON_SHARED_MEMORY="0"))
    assert told["alike"]
    assert told["grown"] == []


@pytest.mark.triton
def test_a_worker_outlives_its_server(served: tuple[Path, Triton]) -> None:
    port, _ = served
    ports = Ports.free()
    with running(port, python=Path(sys.executable), ports=ports, say=lambda line: None) as triton:
        asking = worker(port, "again", triton.url)
        first = json.loads(asking.stdout.readline() if asking.stdout else "")["first"]
    with running(port, python=Path(sys.executable), ports=ports, say=lambda line: None):
        out, _ = asking.communicate("go\n", timeout=240)
        assert json.loads(out)["second"] == first
        assert len(json.loads(out)["regions"]) == 2


# ---------------------------------------------------------------- in process


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    return ported(Path(__file__).parent / "individual" / "csv_lines", tmp_path_factory.mktemp("inside"), inprocess=True)


@pytest.mark.triton
def test_triton_runs_in_the_process_without_a_network_interface(inside: tuple[Path, Path, dict[str, Any]]) -> None:
    original, port, case = inside
    compiles(port)
    assert run(port, case, "inprocess") == run(original, case)
    told = said(worker(port, "inside", "inprocess"))
    assert told["listening"] == []
    assert told["alike"]
    assert "expecting 4 features" in told["error"]
    assert "make the first call in the worker" in told["forked"]
    assert in_memory() == []

    c = port / "triton_serving" / "inprocess"
    subprocess.run(["make", "-s", "-C", str(c), "CFLAGS=-Wall -Wextra -Werror"], check=True, timeout=240)
    call = '["predict", [[[5.1, 3.5, 1.4, 0.2]]], {"$dict": []}]'
    command = [str(c / "infer"), told["library"], told["backends"], str(port / "triton_serving" / "model_repository"), "flowers"]
    env = {**os.environ, "LD_LIBRARY_PATH": str(Path(told["library"]).parent)}
    done = subprocess.run([*command, call], env=env, capture_output=True, text=True, timeout=240)
    assert done.stdout == '{"$array": [0, "<i8", [1]]}\n64 bytes of arrays\n', done.stderr
    wrong = subprocess.run([*command, call.replace("predict", "fit")], env=env, capture_output=True, text=True, timeout=240)
    assert wrong.returncode == 1
    assert "fit is not one of the calls ('predict', 'predict_proba')" in wrong.stderr


WORKERS = """
import json
import os
from celery import Celery
from triton_serving import models

queue = Celery("workers", broker="filesystem://", backend="file://" + os.getcwd())
places = {f"data_folder_{way}": os.getcwd() for way in ("in", "out")}
queue.conf.update(broker_transport_options={**places, "control_folder": os.getcwd()})

def scored():
    from triton_serving.inprocess.server import server
    kind = int(models.flowers.predict([[6.7, 3.0, 5.2, 2.3]])[0])
    return kind, os.getpid(), server().folder

@queue.task
def score():
    return scored()

def app(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps(scored()).encode()]
"""
ASKING = "import json, workers; print(json.dumps([r.get(timeout=240) for r in [workers.score.delay() for _ in range(8)]]))"


@pytest.mark.triton
@pytest.mark.parametrize("starter", ["gunicorn", "celery"])
def test_every_forked_worker_starts_a_triton_of_its_own(starter: str, inside: tuple[Path, Path, dict[str, Any]], tmp_path: Path) -> None:
    port = tmp_path / "port"
    shutil.copytree(inside[1], port)
    (port / "workers.py").write_text(WORKERS)
    env = {**os.environ, "TRITON_URL": "inprocess", "TRITON_TIMEOUT": "240", "TMPDIR": str(tmp_path)}
    place = f"127.0.0.1:{Ports.free().http}"
    command = ["gunicorn", "-w", "2", "-t", "240", "--preload", "-b", place, "workers:app"]
    if starter == "celery":
        command = ["celery", "-A", "workers:queue", "worker", "-c", "2", "--without-gossip", "--without-mingle"]
    started = subprocess.Popen([sys.executable, "-m", *command], cwd=port, env=env, stdout=PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        if starter == "celery":
            asked = subprocess.run([sys.executable, "-c", ASKING], cwd=port, env=env, capture_output=True, text=True, timeout=240)
            found = json.loads(asked.stdout)
        else:
            found = list(answers(f"http://{place}", started))
    finally:
        started.send_signal(signal.SIGTERM)
        said = started.communicate(timeout=240)[0]
    PIDS.update(pid for _, pid, _ in found)
    assert {kind for kind, _, _ in found} == {2}, said
    assert started.pid not in {pid for _, pid, _ in found}
    tritons = {pid: folder for _, pid, folder in found}
    assert len(set(tritons.values())) == len(tritons)
    assert [folder for folder in tritons.values() if Path(folder).exists()] == in_memory() == [], "each has stopped"


def answers(url: str, started: subprocess.Popen[str]) -> Iterator[list[Any]]:
    """Of a server that is starting, until two of its workers have answered."""
    seen: set[int] = set()
    end = time.monotonic() + 240
    while len(seen) < 2 and started.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=30) as reply:
                answer = json.load(reply)
        except OSError:
            time.sleep(0.05)
            continue
        seen.add(answer[1])
        yield answer


# ---------------------------------------------------------------- what cannot be, and what load() has to do

STARTED = """
import joblib
import numpy as np
from kafka import KafkaConsumer

class Service:
    def __init__(self):
        self.model = None
    def start(self):
        self.model = joblib.load("m.joblib")

service = Service()

def run():
    service.start()
    for message in KafkaConsumer("rows"):
        print(service.model.predict(np.frombuffer(message.value).reshape(1, -1))[0])

if __name__ == "__main__":
    run()
"""
TOLD = """
import argparse
import sys
import joblib

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="m.joblib")
    args = parser.parse_args()
    model = joblib.load(args.model)
    for line in sys.stdin:
        print(model.predict([[float(cell) for cell in line.split(",")]])[0])

if __name__ == "__main__":
    main()
"""


def test_load_starts_what_the_application_starts(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(STARTED)
    api.apply(tmp_path, write=True)
    assert "triton_models.m.predict(" in (tmp_path / "run.py").read_text()
    pipeline = (tmp_path / "triton_serving/model_repository/m/1/pipeline.py").read_text()
    assert "def load():\n    service.start()\n" in pipeline
    assert "return service.model\n" in pipeline


def test_a_model_that_the_command_line_names_stays(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text(TOLD)
    report = api.apply(tmp_path, write=True)
    assert [(e["line"], e["reason"]) for e in report["not_ported"]] == [(9, "the model is made from arguments of the command line")]
    assert (tmp_path / "score.py").read_text() == TOLD


SHARING = """
import joblib
from fastapi import FastAPI

app = FastAPI()
model = joblib.load("models/m.joblib")

@app.post("/predict")
def predict(rows: list[list[float]]):
    return model.predict(rows).tolist()
"""
BATCH = """
import csv
import sys
import joblib

def main():
    model = joblib.load("models/%s.joblib")
    for row in csv.reader(sys.stdin):
        print(model.predict([[float(cell) for cell in row]])[0])

if __name__ == "__main__":
    main()
"""


def test_a_script_beside_the_application_runs_the_model_that_it_serves(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text(SHARING)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "score.py").write_text(BATCH % "m")
    (tmp_path / "evaluate.py").write_text(BATCH % "other")
    assert api.scan(tmp_path)["consumers"] == [], "a scan tells what the application is"
    report = api.apply(tmp_path, write=True)
    assert [c["file"] for c in report["consumers"]] == ["jobs/score.py"]
    text = (tmp_path / "jobs" / "score.py").read_text()
    assert "print(triton_models." in text
    assert "sys.path.append(str(Path(__file__).resolve().parents[1]))  # triton_serving is there\nfrom triton_serving import models" in text
    assert (tmp_path / "evaluate.py").read_text() == BATCH % "other"
    assert api.apply(tmp_path)["changes"] == []


SINGLETON = """
import joblib
from flask import Flask, jsonify, request

class Scorer:
    _instance = None

    def __init__(self, path="m.joblib"):
        self.model = joblib.load(path)

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def score(self, rows):
        return self.model.predict(rows)

app = Flask(__name__)

@app.post("/predict")
def predict():
    return jsonify(Scorer.instance().score(request.get_json()["rows"]).tolist())
"""


def test_a_class_method_makes_the_object_that_holds_the_model(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SINGLETON)
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    pipeline = (tmp_path / "triton_serving/model_repository/m/1/pipeline.py").read_text()
    assert "    cls = Scorer\n" in pipeline


HANDED = """
import socket
import threading
import joblib
import numpy as np

class Monitor(threading.Thread):
    def __init__(self, sock, detector, report=print):
        super().__init__(daemon=True)
        self.sock, self.detector, self.report = sock, detector, report

    def run(self):
        while packet := self.sock.recv(24):
            self.report(self.detector.predict(np.frombuffer(packet).reshape(1, -1))[0])

def main():
    detector = joblib.load("detector.joblib")
    monitor = Monitor(socket.create_connection(("sensors", 9)), detector)
    monitor.start()
    monitor.join()

if __name__ == "__main__":
    main()
"""


def test_an_object_that_is_handed_its_model_is_not_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "monitor.py").write_text(HANDED)
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    assert "self.report(triton_models.detector.predict(" in (tmp_path / "monitor.py").read_text()
    pipeline = (tmp_path / "triton_serving/model_repository/detector/1/pipeline.py").read_text()
    assert 'joblib.load("detector.joblib")' in pipeline
    assert "class Monitor" not in pipeline


LISTENING = """
import json
import os
import joblib
from kafka import KafkaConsumer

class Fraud:
    def __init__(self, path=os.environ.get("MODEL", "fraud.joblib"), limit=0.5):
        self.clf = joblib.load(path)
        self.limit = limit
        self.consumer = KafkaConsumer("payments", group_id="fraud")

    def run(self):
        for message in self.consumer:
            print(self.clf.predict_proba([json.loads(message.value)])[0, 1] > self.limit)

if __name__ == "__main__":
    Fraud().run()
"""


def test_the_model_of_a_consumer_is_made_without_the_consumer(tmp_path: Path) -> None:
    """Another one of the group would take its messages."""
    (tmp_path / "fraud.py").write_text(LISTENING)
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    pipeline = (tmp_path / "triton_serving/model_repository/fraud/1/pipeline.py").read_text()
    assert 'path = os.environ.get("MODEL", "fraud.joblib")' in pipeline
    assert "Kafka" not in pipeline
