"""A running Triton as other rooms see it: takes ports and the process, gives addresses, models and counters."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.failures import worth_telling
from triton_migrate.server.serverlog import ServerLog

HOST = "127.0.0.1"
COMPUTING = ("compute_input", "compute_infer", "compute_output")


@dataclass(frozen=True, slots=True)
class Ports:
    """Three ports on the loopback interface."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002

    @classmethod
    def free(cls) -> Ports:
        """Three that are free now; the system gives them, so two runs side by side do not meet."""
        sockets = [socket.create_server((HOST, 0)) for _ in range(3)]
        numbers = [found.getsockname()[1] for found in sockets]
        for found in sockets:
            found.close()
        return cls(*numbers)

    def refuse_taken(self) -> None:
        """Raise when one cannot be listened on. A taken port would let a health probe be answered by somebody else's server."""
        named = {"HTTP": self.http, "gRPC": self.grpc, "metrics": self.metrics}
        if len(set(named.values())) < len(named):
            raise TritonMigrateError(f"the ports must differ: {', '.join(f'{what} {port}' for what, port in named.items())}")
        for what, port in named.items():
            try:
                socket.create_server((HOST, port)).close()
            except (OSError, OverflowError) as trouble:
                hint = f"stop what listens there, or choose another one: --{what.lower()}-port"
                raise TritonMigrateError(f"the {what} port {port} cannot be used: {trouble}", hint=hint) from trouble


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Counters of one model version since it was loaded. Executions below inferences mean that requests were batched together.

    The times are sums over the requests: waiting for the scheduler, and in the backend.
    """

    name: str
    version: str
    request_success: int
    inference_count: int
    execution_count: int
    queue_seconds: float = 0.0
    compute_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Triton:
    """A server that has loaded all its models. `stand_ins` are backends played by Python because the wheel lacks the native ones."""

    ports: Ports
    version: str
    models: tuple[str, ...]
    stand_ins: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: ServerLog

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports.http}"

    @property
    def grpc_url(self) -> str:
        return f"{HOST}:{self.ports.grpc}"

    @property
    def metrics_url(self) -> str:
        return f"http://{HOST}:{self.ports.metrics}/metrics"

    def statistics(self) -> tuple[ModelStatistics, ...]:
        rows = ask(self.ports.http, "/v2/models/stats")["model_stats"]
        return tuple(
            ModelStatistics(
                row["name"],
                row["version"],
                row["inference_stats"]["success"]["count"],
                row["inference_count"],
                row["execution_count"],
                row["inference_stats"]["queue"]["ns"] / 1e9,
                sum(row["inference_stats"][part]["ns"] for part in COMPUTING) / 1e9,
            )
            for row in sorted(rows, key=lambda row: (row["name"], int(row["version"])))
        )

    def refuse_dead(self) -> None:
        """Raise when the server has ended by itself, with what it said last."""
        if self.process.poll() is not None:
            raise ended(self.process.returncode, self.log)


def ask(port: int, path: str) -> Any:
    """GET a JSON document on its own connection: one kept open would hold the server's shutdown for its whole exit timeout."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        raise TritonMigrateError(f"Triton does not answer on port {port}: {trouble}") from trouble
    finally:
        connection.close()


def ended(status: int, log: ServerLog) -> TritonMigrateError:
    """What to say about a server that went away: the last lines of its log that mean something."""
    lines = [line for line in map(worth_telling, log.text().splitlines()) if line]
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
    return TritonMigrateError(f"tritonserver {how}: {' | '.join(lines[-5:]) or 'it said nothing'}")
