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
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_SHARED_MEMORY = Path("/dev/shm")
_PATIENCE = 8  # seconds between asking and killing; the server gives its models 3


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
