"""Every deployment file that is generated is taken by the tool it is for, or by that tool's own grammar.

Kubernetes' manifests and the compose file's schema are in test_stack.py. A tool that is not installed skips its test.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from triton_migrate import api

HERE = Path(__file__).parent
APPS = {  # application -> what its Dockerfile or compose file has that others lack
    "queues/celery_class": "worker",
    "stack/metrics": "app",
    "stack/cache": "--cache-config",
    "stack/versions": "--load-model",
    "stack/placement": "AS export",
}
KNOWN = {"triton_serving/Dockerfile", "triton_serving/docker-compose.yml"} | {
    f"triton_serving/{path}"
    for path in (
        "k8s/triton.yaml", "k8s/app.yaml", "k8s/autoscaling.yaml", "k8s/kserve.yaml",
        "monitoring/prometheus.yml", "monitoring/prometheus-adapter.yaml", "monitoring/grafana.json",
    )
}  # fmt: skip


@pytest.fixture(scope="module", params=APPS)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ported application."""
    root = tmp_path_factory.mktemp("port") / Path(request.param).name
    shutil.copytree(HERE / request.param / "app", root)
    api.apply(root, write=True)
    serving = root / "triton_serving"
    assert APPS[request.param] in (serving / "Dockerfile").read_text() + (serving / "docker-compose.yml").read_text()
    return root


def tool(name: str) -> str:
    """Its path: beside Python, or anywhere."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def accepted(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_no_file_of_deployment_is_left_out_here(port: Path) -> None:
    made = {p.relative_to(port).as_posix() for p in (port / "triton_serving").rglob("*") if p.suffix in (".yaml", ".yml", ".json")}
    assert made | {"triton_serving/Dockerfile"} == KNOWN


def test_hadolint_takes_the_dockerfiles(port: Path) -> None:
    hadolint, serving = tool("hadolint"), port / "triton_serving"
    taken = [hadolint, "--ignore", "DL3013", "--ignore", "DL3059"]  # unpinned packages, a layer for each export: both are meant
    assert accepted([*taken, "Dockerfile"], serving) == ""
    compose = yaml.safe_load((serving / "docker-compose.yml").read_text())
    (port / "Dockerfile.app").write_text(compose["services"]["app"]["build"]["dockerfile_inline"])
    assert accepted([*taken, "Dockerfile.app"], port) == ""
    (port / "Dockerfile.app").write_text("FORM python\n")
    assert subprocess.run([hadolint, "Dockerfile.app"], cwd=port, capture_output=True).returncode == 1


def test_compose_reads_its_file(port: Path) -> None:
    said = accepted([tool("docker-compose"), "-f", "triton_serving/docker-compose.yml", "config", "--format", "json"], port)
    services = json.loads(said)["services"]
    assert services["app"]["environment"]["TRITON_URL"] == "http://triton:8000"
    assert services["app"]["depends_on"]["triton"]["condition"] == "service_healthy"
    dockerfile = services["triton"]["build"]
    assert (Path(dockerfile["context"]) / dockerfile["dockerfile"]).is_file()


def test_prometheus_reads_its_configuration(port: Path) -> None:
    accepted([tool("promtool"), "check", "config", "triton_serving/monitoring/prometheus.yml"], port)


def test_queries_are_queries(port: Path) -> None:
    promql = pytest.importorskip("promql_parser")
    monitoring = port / "triton_serving/monitoring"
    dashboard = json.loads((monitoring / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        promql.parse(panel["targets"][0]["expr"])
    (rule,) = yaml.safe_load((monitoring / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    promql.parse(rule["seriesQuery"])
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="default"').replace("<<.GroupBy>>", "pod")
    promql.parse(query)
    with pytest.raises(ValueError, match="parenthesis"):
        promql.parse(query.removesuffix(")"))


def test_grafana_knows_all_that_the_dashboard_says(port: Path) -> None:
    schema = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    written = json.loads((port / "triton_serving/monitoring/grafana.json").read_text())
    (asked,) = written.pop("__inputs")  # of the import dialogue, which puts its answer in the place of ${DS_PROMETHEUS}
    read = json.loads(encoder.JSONEncoder().encode(schema.Dashboard.from_json(written)))
    assert missing(written, read) == []
    assert {panel["datasource"]["uid"] for panel in written["panels"]} == {"${" + asked["name"] + "}"}


def missing(written: Any, read: Any, where: str = "") -> list[str]:
    """What was lost on the way through Grafana's own classes: a key or a value that they do not know."""
    if isinstance(written, dict) and isinstance(read, dict):
        return [lost for key, value in written.items() for lost in missing(value, read.get(key), f"{where}.{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [lost for n, (one, other) in enumerate(zip(written, read, strict=True)) for lost in missing(one, other, f"{where}[{n}]")]
    return [] if written == read or (written in ([], {}) and read is None) else [where]
