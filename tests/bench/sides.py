"""Takes an app as people wrote it and trees that port it, gives each of them running: what the load benchmarks ask in turns."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from triton_migrate import api
from triton_migrate.server import Ports, Triton, running
from triton_migrate.verify.client import client
from triton_migrate.verify.load import Target
from triton_migrate.verify.requests import RecordedRequest, read_requests
from triton_migrate.verify.start import App, Application, free_ports, running_app, start_command
from triton_migrate.verify.wire import wire

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fixture_folders import APPS


@dataclass(frozen=True, slots=True)
class Case:
    """An app with its model files in place, and what it is asked."""

    app: Path
    asked: RecordedRequest


@dataclass(frozen=True, slots=True)
class Side:
    """A tree that answers. `triton` is None for the original."""

    name: str
    app: App
    target: Target
    triton: Triton | None

    @property
    def cpu(self) -> tuple[float, float]:
        """Seconds of the processor that the application and Triton have used, with all they started."""
        return _cpu(self.app.process.pid), _cpu(self.triton.process.pid) if self.triton else 0.0


def arguments(description: str) -> argparse.ArgumentParser:
    """What both benchmarks are told: an app folder, or one of the bundled apps."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=Path, help="an application's folder; by default the bundled fastapi_shapes")
    parser.add_argument("--requests", type=Path, help="its recorded requests (JSON lines)")
    parser.add_argument("--request", help="id of the request to send; by default the first that is an inference")
    parser.add_argument("--make", type=Path, help="a script that writes the model files, run in the folder above a copy of the app")
    return parser


@contextmanager
def prepared(options: argparse.Namespace) -> Iterator[Case]:
    """A copy of the app with its model files."""
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        app = Path(folder, "app")
        if options.app is None:
            (bundled,) = (case for case in APPS if case.folder.name == "fastapi_shapes")
            bundled.make()
            shutil.copytree(bundled.before, app)
            recorded = bundled.folder / bundled.case["requests"]
        else:
            shutil.copytree(options.app, app, ignore=shutil.ignore_patterns("__pycache__", ".git"))
            recorded = options.requests
        if options.make is not None:
            subprocess.run([sys.executable, shutil.copy(options.make, folder)], cwd=folder, check=True)
        every = read_requests(recorded)
        yield Case(app, next(r for r in every if (r.id == options.request if options.request else r.infer)))


@contextmanager
def serving(case: Case, against: Path | None = None) -> Iterator[list[Side]]:
    """The original, our port of it, and a port of it by others, all up at once."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench_ports_")))
        out = home / "out"
        ours = Path(shutil.copytree(case.app, home / "ours"))
        report = api.apply(ours, out=out, write=True)
        first = report["applications"][0]
        application = Application(first["framework"], first["target"], first["server"], first["factory"])
        sides = [_side(stack, "original", case, application, case.app, None)]
        trees = {"port": ours}
        if against is not None:
            trees["other"] = Path(shutil.copytree(against, home / "other"))
            for made in (p for p in case.app.rglob("*") if p.is_file()):
                if not (place := trees["other"] / made.relative_to(case.app)).exists():
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(made, place)  # the model files
        for name, tree in trees.items():
            triton = stack.enter_context(running(tree, python=Path(sys.executable), ports=Ports.free(), say=print))
            sides.append(_side(stack, name, case, application, tree, triton))
        yield sides


def _side(stack: ExitStack, name: str, case: Case, application: Application, tree: Path, triton: Triton | None) -> Side:
    (port,) = free_ports(1)
    command = start_command(application, Path(sys.executable), port)
    app = stack.enter_context(running_app(name, tree, command, port, {"TRITON_URL": triton.url} if triton else {}))
    session = stack.enter_context(client(app.url))
    return Side(name, app, Target(app.port, wire(session.prepare(case.asked)), case.asked.expect_status or 200, case.asked.poll), triton)


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)
