"""Takes a folder with an application, starts it as its users do, asks it, and says what it left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

MARK = b"TRITON_SERVING_OWNER="
Reply = tuple[int, Any]
PATIENCE = 240.0  # seconds that a busy machine may take for what it does in a few


@dataclass
class Served:
    """A running application. `temporary` is where the processes of this application meet."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    temporary: Path
    session: requests.Session = field(default_factory=requests.Session)
    shared: set[str] = field(default_factory=set)  # files of shared memory that its helpers have had

    def ask(self, request: dict[str, Any], *, alone: bool = False) -> Reply:
        """`alone`: over a connection of its own."""
        session = requests if alone else self.session
        reply = session.request(request["method"], self.url + request["path"], json=request.get("json"), timeout=180)
        return reply.status_code, reply.json() if "json" in reply.headers.get("Content-Type", "") else reply.text

    def listens(self) -> None:
        """Wait until connections are taken, without asking anything."""
        host, port = self.url.removeprefix("http://").split(":")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 5):
                return
            time.sleep(0.1)
        raise AssertionError(f"does not listen: {self.log.read_text()[-2000:]}")

    @property
    def owner(self) -> dict[str, Any]:
        """The record of the process that owns Triton."""
        (record,) = self.temporary.glob("triton-*/owner.json")
        found: dict[str, Any] = json.loads(record.read_text())
        return found

    def owner_or(self, default: int) -> int:
        """Its pid, while there is one."""
        return next((json.loads(r.read_text())["pid"] for r in self.temporary.glob("triton-*/owner.json")), default)

    def tritons(self) -> list[int]:
        """The servers that its processes have started."""
        return [pid for pid, command in self.helpers() if b"/bin/tritonserver" in command]

    def helpers(self) -> list[tuple[int, bytes]]:
        """All processes that the owner has started for Triton."""
        wanted = MARK + os.fsencode(self.temporary)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes():
                    found.append((int(entry.name), (entry / "cmdline").read_bytes()))
                    self.shared |= set(re.findall(r"/dev/shm/\S+", (entry / "maps").read_text()))
        return found


@contextlib.contextmanager
def serving(app: Path, command: list[str], ready: str | None, **env: str) -> Iterator[Served]:
    """`{port}` in the command is filled in. The application is told to stop at the end; `clean` says whether all is gone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = Path(tempfile.mkdtemp(prefix="tight-"))  # pytest's own folders have names too long for sockets
    log = temporary / "app.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary), **env}
    program = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    with log.open("wb") as out:
        process = subprocess.Popen(program, cwd=app, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    served = Served(f"http://127.0.0.1:{port}", process, log, temporary)
    try:
        if ready is not None:
            _wait(served, ready)
        yield served
    finally:
        served.helpers()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)  # on a busy machine Triton takes its time to end
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            print(log.read_text())  # pytest shows it when the test fails
            shutil.rmtree(temporary, ignore_errors=True)


def _wait(served: Served, ready: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert served.process.poll() is None, served.log.read_text()[-2000:]
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(served.url + ready, timeout=180).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"not ready: {served.log.read_text()[-2000:]}")


def gone(served: Served, seconds: float = PATIENCE) -> tuple[list[tuple[int, bytes]], list[str]]:
    """What is left of the helpers and in shared memory, once they have had the time to go."""
    end = time.monotonic() + seconds
    while (served.helpers() or any(map(os.path.exists, served.shared))) and time.monotonic() < end:
        time.sleep(0.1)
    return served.helpers(), [path for path in sorted(served.shared) if os.path.exists(path)]
