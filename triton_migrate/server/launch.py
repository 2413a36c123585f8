"""Runs a ported app's model repository on the real server for the duration of a `with`: takes the app and an interpreter, gives `Triton`.

How the server is started decides what "ready" means to others who poll `/v2/health/ready`. Measured on 2.51:
- explicit mode and loading through the API: ready says 200 at once, with no model loaded;
- `--load-model` with `--exit-on-error=false`: 400 when a model fails to start, but 200 when a configuration or an ensemble is refused;
- `--load-model` with the default exit on error: no port opens before every model is loaded, and none at all when one fails, while the
  log has the reason of every model. That is what is used here.
Loading is concurrent, and the server loads the steps of an ensemble before it. Without auto-completion a model starts once, not twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.export import export_missing, export_new, wired
from triton_migrate.server.failures import as_error, load_failures
from triton_migrate.server.interpreter import default_python, probe, refuse
from triton_migrate.server.process import server_name, started, sweep
from triton_migrate.server.repository import STAND_INS, RepositoryModel, has_gpu, location, read, read_folder
from triton_migrate.server.serverlog import ServerLog
from triton_migrate.server.stage import Stage, stage
from triton_migrate.server.stillness import Stillness
from triton_migrate.server.triton import HOST, Ports, Triton, ask, ended
from triton_migrate.server.wheel import Wheel, locate

_CACHE_BYTES = 64 * 2**20
_STARVED = "what():  boost::interprocess::lock_exception"  # its Python backend waits ten seconds for a lock, and then ends the server
STARTS = 3  # on a machine that is busy at first
_LOADED = re.compile(r"\"successfully loaded '([^']+)'\"")


@dataclass(frozen=True, slots=True)
class _Run:
    """What one start of the server is about. `id` is the name it answers with, and the prefix of its shared memory."""

    id: str
    app: Path
    models: tuple[RepositoryModel, ...]
    stand_ins: tuple[str, ...]
    staged: Stage
    ports: Ports
    gpu: bool


@contextlib.contextmanager
def running(
    app: Path, *, python: Path | None = None, ports: Ports | None = None, say: Callable[[str], None] = print, deadline: float = 600
) -> Iterator[Triton]:
    """Serve the models of `app` until the block ends. `deadline`: seconds all models together may take to load.

    Raises TritonMigrateError before anything is started when the interpreter, the repository or a port cannot do,
    and after all models were tried when one does not load.
    """
    app, ports = app.resolve(), ports or Ports()
    wheel, gpu = locate(), has_gpu()
    models = read(app, gpu=gpu)
    interpreter = probe(python or default_python(app))
    stand_ins = _stand_ins(models)
    refuse(interpreter, wheel, stand_ins)
    ports.refuse_taken()
    if export_new(app, interpreter, say):
        models = read(app, gpu=gpu)
        stand_ins = _stand_ins(models)
        refuse(interpreter, wheel, stand_ins)
    export_missing(app, models, interpreter, say)
    with tempfile.TemporaryDirectory(prefix="triton-migrate-", ignore_cleanup_errors=True) as work:
        staged = stage(Path(work), wheel, interpreter, models)
        if wired(app, staged.repository, interpreter, say):
            models = read_folder(staged.repository, gpu=gpu)
        run = _Run(server_name(), app, models, stand_ins, staged, ports, gpu)
        log = ServerLog(staged.log)
        sweep()
        with contextlib.ExitStack() as stack:
            process, version = _up(run, wheel, log, stack, say, deadline)
            yield Triton(ports, version, tuple(model.name for model in models), stand_ins, process, log)


def _up(
    run: _Run, wheel: Wheel, log: ServerLog, stack: contextlib.ExitStack, say: Callable[[str], None], deadline: float
) -> tuple[subprocess.Popen[bytes], str]:
    """The server and its version, once every model is loaded; on a busy machine it may need a second start."""
    stood_still = False
    while True:
        with contextlib.ExitStack() as attempt:
            command, environment = _command(run, wheel), _environment(run)
            process = attempt.enter_context(started(command, run.staged.folder, run.staged.log, environment, f"{run.id}_"))
            try:
                version = _wait(run, process, log, say, deadline, again=not stood_still)
            except _StoodStillError:
                stood_still = True
                say("the server and its models wait for each other: starting it once more")
                continue
            except TritonMigrateError:
                if process.poll() != -signal.SIGABRT or not 0 < log.text().count(_STARVED) < STARTS:
                    raise
                say("the machine is busy and a model's process answered Triton too late: starting it once more")
                continue
            stack.push(attempt.pop_all())
            return process, version


def _stand_ins(models: tuple[RepositoryModel, ...]) -> tuple[str, ...]:
    return tuple(sorted({model.backend for model in models} & set(STAND_INS)))


def threads_each(models: tuple[RepositoryModel, ...], cores: int) -> int:
    """Threads for the numeric libraries of each model process: one core stays with the server, the rest is shared.

    Each process would otherwise start a pool as wide as the machine. Measured with 16 clients on 2 cores: a small convolutional net
    answers 818 requests a second that way and 997 with one thread, two instances of it 260 and 678; two instances of NumPy 431 and 775.
    """
    return max(1, (cores - 1) // max(1, sum(model.processes for model in models)))


def _environment(run: _Run) -> dict[str, str]:
    """The user's own, with where the models find the app's artifacts; a thread count the user has set stays."""
    threads = str(threads_each(run.models, len(os.sched_getaffinity(0))))
    return {"OMP_NUM_THREADS": threads, **os.environ, "APP_ROOT": str(run.app)}


def _command(run: _Run, wheel: Wheel) -> list[str]:
    addresses = {"http": run.ports.http, "grpc": run.ports.grpc, "metrics": run.ports.metrics}
    cache = (f"--cache-config=local,size={_CACHE_BYTES}", f"--cache-directory={wheel.caches}")
    return [
        str(wheel.server),
        f"--id={run.id}",
        f"--model-repository={run.staged.repository}",
        f"--backend-directory={run.staged.backends}",
        *(option for name, port in addresses.items() for option in (f"--{name}-address={HOST}", f"--{name}-port={port}")),
        "--disable-auto-complete-config",
        "--model-control-mode=explicit",
        f"--model-load-thread-count={len(os.sched_getaffinity(0))}",  # processes that start together keep each other waiting
        *(f"--load-model={model.name}" for model in run.models),
        "--exit-timeout-secs=3",
        *(f"--backend-config={backend},shm-region-prefix-name={run.id}_" for backend in ("python", *run.stand_ins)),
        *(cache if any(model.cached for model in run.models) else ()),
        *(() if run.gpu else ("--model-config-name=cpu", "--allow-gpu-metrics=false")),
    ]


class _StoodStillError(Exception):
    """The server would load for ever."""


def _wait(run: _Run, process: subprocess.Popen[bytes], log: ServerLog, say: Callable[[str], None], deadline: float, *, again: bool) -> str:
    """Until every model is loaded and every port answers; gives the server's version. `again`: whether it may be started once more."""
    begin, loading = time.monotonic(), {model.name: model for model in run.models}
    stillness = Stillness(process.pid)
    while time.monotonic() - begin < deadline:
        alive = process.poll() is None  # asked before reading: what it said last is then in the log
        for match in filter(None, map(_LOADED.search, log.new_lines())):
            if model := loading.pop(match[1], None):
                say(f"{model.name}: loaded by {'the stand-in for ' if model.backend in STAND_INS else ''}{model.backend}")
        if not alive:
            failures = load_failures(log.text(), run.staged.repository, location(run.app))
            for failure in failures:
                say(f"{failure.model}: not loaded: {failure.reason}")
            raise as_error(failures) if failures else ended(process.returncode, log)
        if not loading and (version := _version(run)):
            return version
        if again and stillness.too_long():
            raise _StoodStillError
        time.sleep(0.02)
    raise TritonMigrateError(
        f"still loading after {deadline:.0f} s: {', '.join(loading)}", hint="see what the load() of its pipeline waits for"
    )


def _version(run: _Run) -> str | None:
    """The version of our server once it answers; another one that has the port is not ours."""
    try:
        server = ask(run.ports.http, "/v2")
        socket.create_connection((HOST, run.ports.metrics), timeout=1).close()  # the last port to open
    except (TritonMigrateError, OSError):
        return None
    return str(server["version"]) if server["name"] == run.id else None
