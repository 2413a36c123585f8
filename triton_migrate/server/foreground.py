"""`triton-migrate serve`: takes an app, keeps its models served until a signal comes, tells what happens meanwhile."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from triton_migrate.server.failures import worth_telling
from triton_migrate.server.launch import running
from triton_migrate.server.triton import Ports, Triton

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stop(BaseException):
    """A signal asked us to end; not an error, and not for `except Exception`."""


def serve(app: Path, *, python: Path | None = None, ports: Ports | None = None, say: Callable[[str], None] = print) -> None:
    """Serve in the foreground. Returns after SIGINT, SIGTERM or SIGHUP with everything stopped; raises when the server ends by itself.

    Must be called from the main thread, as signal handlers are.
    """
    with contextlib.suppress(_Stop), _stopped_by_signals():
        say(f"starting Triton for {app}")
        with running(app, python=python, ports=ports, say=say) as triton:
            _introduce(triton, say)
            while True:
                for line in filter(None, map(worth_telling, triton.log.new_lines())):
                    say(line)
                triton.refuse_dead()
                time.sleep(0.2)
    say("stopped")


def _introduce(triton: Triton, say: Callable[[str], None]) -> None:
    for backend in triton.stand_ins:
        say(f"stand-in for {backend}: the native backend is not in the Triton wheel, so speed is not comparable with production")
    say(f"Triton {triton.version} serves {', '.join(triton.models)}")
    say(f"HTTP {triton.url}  gRPC {triton.grpc_url}  metrics {triton.metrics_url}")
    say("Ctrl-C stops it")


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOPPING:  # once is enough: what follows is the clearing up
            signal.signal(each, signal.SIG_IGN)
        raise _Stop

    heeded = [each for each in _STOPPING if signal.getsignal(each) != signal.SIG_IGN]  # nohup ignores SIGHUP, and means it
    before = {each: signal.signal(each, stop) for each in heeded}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
