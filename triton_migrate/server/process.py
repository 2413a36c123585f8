"""The server process: takes a command line, gives it running for the duration of a `with`; afterwards nothing of it is left.

It gets a session of its own, so that Ctrl-C reaches it only through us and one signal ends everything its models have started.
It dies with the thread that started it, should that be killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_SHARED_MEMORY = Path("/dev/shm")
_PREFIX = "triton-migrate-"
_PATIENCE = 8  # seconds between asking and killing; the server gives its models 3


def server_name() -> str:
    """A name for a server of this process. What it leaves in /dev/shm begins with it, so that it can be told whose it was."""
    pid = os.getpid()
    return f"{_PREFIX}{_namespace()}-{pid}-{_start(pid)}-{uuid.uuid4().hex[:8]}"


def sweep() -> None:
    """Remove from /dev/shm what the servers of killed processes have left; other containers' processes cannot be seen from here."""
    for file in _SHARED_MEMORY.glob(f"{_PREFIX}{_namespace()}-*"):
        pid, start = file.name.split("-")[3:5]
        if _start(int(pid)) != start:
            file.unlink(missing_ok=True)


def _namespace() -> int:
    """Process numbers mean something among the processes of one container only."""
    return os.stat("/proc/self/ns/pid").st_ino


def _start(pid: int) -> str:
    """When a process began, as its number may be another's later; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


@contextlib.contextmanager
def started(
    command: list[str], folder: Path, log: Path, environment: dict[str, str], shared_memory: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` with its output in `log`; `shared_memory` is the prefix of what it may leave in /dev/shm.

    `folder` must not be the app's: models have "" first on sys.path, and the app's modules would hide theirs.
    """
    libc, parent = ctypes.CDLL(None), os.getpid()

    def die_with_parent() -> None:
        # SIGKILL, as SIGTERM can be slept through; its Python processes notice within a second and leave.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        yield process
    finally:
        with _signals_held():
            _stop(process)
            for left in _SHARED_MEMORY.glob(f"{shared_memory}*"):
                left.unlink(missing_ok=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, patience, then SIGKILL for the whole group; returns when nothing of it runs any more."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    for _ in range(100):  # what models have started, and a server that hangs
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            break
        process.poll()
        time.sleep(0.02)
    process.wait()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """A second Ctrl-C must not interrupt the clearing up; it is delivered afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
