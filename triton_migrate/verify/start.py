"""Takes an application and an interpreter, gives it running on loopback: the same server, with the same settings, for original and port.

gunicorn when the interpreter has it (nearer to production than Flask's own), uvicorn for ASGI. Nothing started here survives.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from triton_migrate.base import TritonMigrateError
from triton_migrate.generate.served import CLIENT, PYTRITON

HOST = "127.0.0.1"
READY_TIMEOUT = 180.0
STOP_TIMEOUT = 10.0
THREADS = 16
PR_SET_PDEATHSIG = 1
# Nobody serves it: a 404 from the router shows that the app is up without running one of its handlers.
NOWHERE = "/.well-known/triton-migrate-ready"
PROBE = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit)\b")
NAME_OF = re.compile(r"[\w.-]+")  # in a requirement
MODULE_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


@dataclass(frozen=True, slots=True)
class Application:
    """What to start. `target` is `pkg.main:app`, or with `factory` the function that makes the app (`pkg.main:create_app`).

    `script`, where there is one, is the file to run instead, because its main part prepares what the handlers use.
    """

    framework: str
    target: str
    server: Literal["wsgi", "asgi"]
    factory: bool = False
    script: str = ""


@dataclass(frozen=True, slots=True)
class StartCommand:
    """How the app is started in its root. `ready_path` None: any answer means ready. `server` is what the report calls it."""

    argv: tuple[str, ...]
    ready_path: str | None
    env: tuple[tuple[str, str], ...]
    server: str


class App:
    """A started app; make it with `running_app`."""

    def __init__(self, name: str, port: int, command: StartCommand, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.port, self.command, self.process, self.log = name, port, command, process, log

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def check(self) -> None:
        """Raise TritonMigrateError with the reason and the end of its log if the process is gone."""
        if self.process.poll() is None:
            return
        message = f"{self.name} exited with {self.process.returncode}: {self.reason() or 'it logged nothing'}"
        raise TritonMigrateError(f"{message}\n{self.tail()}", hint=_advice(self._logged()))

    def reason(self) -> str:
        """The last exception its log names, else its last line."""
        lines = [line for line in self._logged().split("\n") if line.strip()]
        return next((line for line in reversed(lines) if EXCEPTION.match(line)), lines[-1] if lines else "")

    def tail(self, lines: int = 12) -> str:
        return "\n".join(self._logged().rstrip().split("\n")[-lines:])

    def _logged(self) -> str:
        return self.log.read_text(errors="replace")


def free_ports(count: int) -> tuple[int, ...]:
    """Ports nobody listens on now. All are held at once, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()


def start_command(application: Application, python: Path, port: int) -> StartCommand:
    """The command for this app, after asking `python` which servers it has. Raises TritonMigrateError when it has none."""
    if application.script:
        argv = (str(python), str(Path(__file__).with_name("byhand.py")), HOST, str(port), application.script)
        return StartCommand(argv, None, _environment(python), f"python {application.script}")
    return (_asgi if application.server == "asgi" else _wsgi)(application, python, port)


def _asgi(application: Application, python: Path, port: int) -> StartCommand:
    versions = _installed(python, "uvicorn")
    if versions["uvicorn"] is None:
        raise _no_server(python, "uvicorn")
    options = ("--host", HOST, "--port", str(port), "--log-level", "warning", "--no-access-log")
    factory = ("--factory",) if application.factory else ()
    return _command(python, "uvicorn", (application.target, *options, *factory), versions)


def _wsgi(application: Application, python: Path, port: int) -> StartCommand:
    versions = _installed(python, "gunicorn", "flask")
    target = application.target + ("()" if application.factory else "")
    if version := versions["gunicorn"]:
        return _command(python, "gunicorn", (target, *_gunicorn(version, port)), versions)
    if versions["flask"] is None:
        raise _no_server(python, "gunicorn")
    options = ("run", "--host", HOST, "--port", str(port), "--no-reload", "--no-debugger")
    return _command(python, "flask", ("--app", target, *options), versions)


def _gunicorn(version: str, port: int) -> tuple[str, ...]:
    # From 25.1 every master opens one socket in the user's home, the same for all.
    modern = tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= (25, 1)
    workers = ("--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS), "--timeout", "120", "--graceful-timeout", "5")
    return ("--bind", f"{HOST}:{port}", *workers, "--log-level", "warning", *(("--no-control-socket",) if modern else ()))


def _command(python: Path, server: str, options: tuple[str, ...], versions: dict[str, str | None]) -> StartCommand:
    return StartCommand((str(python), "-m", server, *options), None, _environment(python), f"{server} {versions[server]}")


def _environment(python: Path) -> tuple[tuple[str, str], ...]:
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return (("PATH", path), ("PYTHONUNBUFFERED", "1"))


def _installed(python: Path, *names: str) -> dict[str, str | None]:
    try:
        probe = subprocess.run([python, "-c", PROBE, *names], capture_output=True, text=True, timeout=60, check=True)
        versions: dict[str, str | None] = json.loads(probe.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as exc:
        raise TritonMigrateError(
            f"{python} does not run: {exc}", hint="--python takes the interpreter that has the app's packages"
        ) from exc
    return versions


def refuse_without_client(port: Path, python: Path) -> None:
    """Raise when an interpreter lacks what a port needs besides the app's packages, with the command that installs it."""
    files = (("bindings.py", PYTRITON), ("client.py", CLIENT))
    needs = {NAME_OF.match(line)[0]: line for file, line in files if (port / "triton_serving" / file).is_file()}  # type: ignore[index]
    missing = [name for name, version in (_installed(python, *needs) if needs else {}).items() if version is None]
    if missing:
        hint = f"{python} -m pip install {' '.join(repr(needs[name]) for name in missing)}; requirements.txt of the port says so, too"
        raise TritonMigrateError(f"the port needs {' and '.join(missing)}, which {python} does not have", hint=hint)


def _no_server(python: Path, package: str) -> TritonMigrateError:
    hint = f"pass --python with the app's interpreter, or {python} -m pip install {package}"
    return TritonMigrateError(f"{package} is not installed for {python}, so the app cannot be started", hint=hint)


@contextmanager
def running_app(name: str, root: Path, command: StartCommand, port: int, env: Mapping[str, str] | None = None) -> Iterator[App]:
    """Start `command` in `root`, yield once it answers HTTP, stop it and all it started. `name` is what messages call it."""
    with tempfile.TemporaryDirectory(prefix="triton_migrate_") as folder:
        log = Path(folder) / "app.log"
        with log.open("wb") as output:
            process = _start(command, root, {**os.environ, **dict(command.env), **(env or {})}, output)
        app = App(name, port, command, process, log)
        try:
            _wait_ready(app, command.ready_path)
            yield app
        finally:
            _stop(process)


def _start(command: StartCommand, root: Path, env: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own: its whole group can be ended, and Ctrl-C reaches only us.
    return subprocess.Popen(
        command.argv,
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
    )


def _die_with_parent() -> Callable[[], None]:
    """For the child to call before exec: SIGTERM when we are killed ourselves and cannot stop it."""
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def _wait_ready(app: App, ready_path: str | None) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while not _answers(app.port, ready_path):
        app.check()
        if time.monotonic() > deadline:
            raise TritonMigrateError(f"{app.name} did not answer within {READY_TIMEOUT:.0f} s: {app.tail()}", hint="see what it waits for")
        time.sleep(0.1)


def _answers(port: int, ready_path: str | None) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", ready_path or NOWHERE, headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return ready_path is None or status < 400


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with suppress(ProcessLookupError):  # the leader if it would not go, and whatever it left behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _advice(log: str) -> str | None:
    if missing := MODULE_MISSING.search(log):
        return f"pass --python with the interpreter that has {missing[1].split('.')[0]!r}"
    return None
