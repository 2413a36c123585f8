"""Takes the application, gives what runs it and Triton on a cluster and watches them: Kubernetes manifests, Prometheus, Grafana.

The way past one machine. The images are those of the compose file; the metrics are Triton's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from triton_migrate.generate.served import ServedApp
from triton_migrate.generate.templates import render

PORT = 8080  # where the application listens in its container
BROKER_PORTS = {"redis": 6379, "amqp": 5672}


class Panel(NamedTuple):
    """One graph: its title, what Prometheus is asked, and the unit of Grafana."""

    title: str
    query: str
    unit: str


RATE = "sum by (model) (rate({}[1m]))"
PANELS = (
    Panel("Requests answered", RATE.format("nv_inference_request_success"), "reqps"),
    Panel("Requests failed", RATE.format("nv_inference_request_failure"), "reqps"),
    Panel(
        "Rows in one call of the model", f"{RATE.format('nv_inference_count')} / {RATE.format('nv_inference_exec_count')}", "short"
    ),
    Panel(
        "Time in the queue",
        f"{RATE.format('nv_inference_queue_duration_us')} / {RATE.format('nv_inference_request_success')}",
        "µs",
    ),
    Panel(
        "Time in the model",
        f"{RATE.format('nv_inference_compute_infer_duration_us')} / {RATE.format('nv_inference_request_success')}",
        "µs",
    ),
    Panel("Requests that wait", "sum by (model) (nv_inference_pending_request_count)", "short"),
)  # fmt: skip


def deployment(app: ServedApp) -> Iterator[tuple[str, str, str]]:
    """Path below `triton_serving/`, text and reason of each file."""
    name = image_name(app)
    yield "k8s/triton.yaml", render("k8s_triton.yaml", service=name, app=app), "Triton on Kubernetes: probes, shared memory, metrics"
    values = {
        "service": name,
        "app": app,
        "command": app.command(PORT),
        "settings": settings(app, f"http://{name}-triton:8000"),
        "json": json.dumps,
        "port": PORT,
        "ports": BROKER_PORTS,
    }
    yield "k8s/app.yaml", render("k8s_app.yaml", **values), "the application on Kubernetes, with what it had beside it"
    yield "k8s/autoscaling.yaml", render("k8s_autoscaling.yaml", service=name), "more Tritons while requests wait"
    yield "k8s/kserve.yaml", render("k8s_kserve.yaml", service=name, app=app), "the same under KServe"
    yield "monitoring/prometheus.yml", render("prometheus.yml"), "where Prometheus finds Triton's metrics"
    yield "monitoring/prometheus-adapter.yaml", render("prometheus_adapter.yaml"), "the waiting time as a metric to scale by"
    yield "monitoring/grafana.json", dashboard(app), "Triton's metrics as graphs"


def image_name(app: ServedApp) -> str:
    """A name that Docker and Kubernetes take."""
    return re.sub(r"[^a-z0-9]+", "-", app.name.lower()).strip("-")[:40] or "app"


def settings(app: ServedApp, url: str) -> dict[str, str]:
    """Environment variables of the application and its workers."""
    return {"TRITON_URL": url, **dict(app.beside.settings)}


def dashboard(app: ServedApp) -> str:
    """A dashboard to import into Grafana; it asks for its data source."""
    panels = [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": {"type": "prometheus", "uid": "${DS_PROMETHEUS}"},
            "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
            "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
            "targets": [{"refId": "A", "expr": panel.query, "legendFormat": "{{model}}"}],
        }
        for number, panel in enumerate(PANELS)
    ]
    source = {"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus", "pluginName": "Prometheus"}
    document = {
        "__inputs": [source],
        "title": f"Triton: {app.name}",
        "uid": f"triton-{image_name(app)}",
        "schemaVersion": 39,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "panels": panels,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
