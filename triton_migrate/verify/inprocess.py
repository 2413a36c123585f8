"""Takes free ports, gives the Triton that a tight port starts by itself: what `verify` asks of a server, by its metrics."""

from __future__ import annotations

import http.client
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.server import Ports
from triton_migrate.server.triton import HOST, ModelStatistics

COUNTED = "request_success|count|exec_count|queue_duration_us|compute_(?:input|infer|output)_duration_us"
SERIES = re.compile(rf'^nv_inference_({COUNTED})\{{model="([^"]+)"[^}}]*\}} ([0-9.e+]+)', re.MULTILINE)


def is_bound(port: Path) -> bool:
    """Whether the port runs Triton in the application, and has no model repository for a server of its own."""
    return (port / "triton_serving/bindings.py").is_file() and not (port / "triton_serving/model_repository").is_dir()


@dataclass(frozen=True, slots=True)
class InApplication:
    """PyTriton in the application's process; it is there from the first request on."""

    ports: Ports
    version: str = "in its own process"
    stand_ins: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What the application is told."""
        ports = {"HTTP": self.ports.http, "GRPC": self.ports.grpc, "METRICS": self.ports.metrics}
        return {"TRITON_URL": "inprocess", **{f"TRITON_{kind}_PORT": str(port) for kind, port in ports.items()}}

    def statistics(self) -> tuple[ModelStatistics, ...]:
        """Counters by model; none before the server is up. They lag the reply by the time between two scrapes at most."""
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for kind, model, value in SERIES.findall(self._metrics()):
            found[model][kind] = int(float(value))
        return tuple(
            ModelStatistics(
                name,
                "1",
                row.get("request_success", 0),
                row.get("count", 0),
                row.get("exec_count", 0),
                row.get("queue_duration_us", 0) / 1e6,
                sum(value for kind, value in row.items() if kind.startswith("compute_")) / 1e6,
            )
            for name, row in sorted(found.items())
        )

    def refuse_dead(self) -> None:
        """The application's own check says so."""

    def _metrics(self) -> str:
        connection = http.client.HTTPConnection(HOST, self.ports.metrics, timeout=10)
        try:
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()
