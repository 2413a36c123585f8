"""Every deployment file that is generated is taken by the tool it is for, or by that tool's own grammar; a file without one fails here.

A tool that is not installed skips its test, except in CI, which installs all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment_tools import VALIDATORS, documents, hadolint, tool

from triton_migrate import api
from triton_migrate.server import Ports, running
from triton_migrate.server.wheel import locate

HERE = Path(__file__).parent
PORTS = {  # application -> what its files have that others lack
    "queues/celery_class/app": "celery_task_app",
    "queues/redis_list/app": "run_model_server.py",
    "stack/metrics/app": "uvicorn",
    "stack/cache/app": "--cache-config",
    "stack/versions/app": "--load-model",
    "stack/placement/app": "AS export",
    "individual/onnx_loop/app": "ipc: shareable",
    "tight/flask_credit": "init: true",
}
ELSEWHERE = {  # what is no deployment file, and where it is run
    "*.py": "compiled with every port",
    "model_repository/*": "loaded by the real server",
    "inprocess/*": "built and run in test_individual.py",
    "*README.md": "for people",
    ".gitignore": "the models that export scripts make",
}
SPOILT = {  # file -> what a tool that reads it must refuse
    "Dockerfile": ("FROM ", "FORM "),
    "docker-compose.yml": ("shm_size:", "shm_sizes:"),
    "k8s/triton.yaml": ("readinessProbe:", "readynessProbe:"),
    "k8s/app.yaml": ("replicas: 1", "replicas: one"),
    "k8s/autoscaling.yaml": ("minReplicas:", "leastReplicas:"),
    "k8s/kserve.yaml": ("minReplicas:", "leastReplicas:"),
    "monitoring/prometheus.yml": ("scrape_interval: 5s", "scrape_interval: soon"),
    "monitoring/prometheus-adapter.yaml": ("<<.GroupBy>>)", "<<.GroupBy>>"),
    "monitoring/grafana.json": ('"targets"', '"asked"'),
    "requirements.txt": ("numpy", "numpy=="),
}
KSERVE_REFUSES = [  # each is right for a pod, or reads as if it were right
    ("predictor:", "predicter:"), ("maxReplicas: 4", "maxReplicas: many"), ("minReplicas: 1", "minReplicas: 1\n    replicas: 1"),
    ("containers:", "container:"), ("containerPort: 8000", "containerPort: http"), ("v1beta1", "v1"),
    ("kind: InferenceService", "kind: InferenceServer"), ("medium: Memory", "in: Memory"), ("volumeMounts:", "mounts:"),
]  # fmt: skip


@pytest.fixture(scope="module", params=PORTS)
def serving(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `triton_serving/` of a ported application."""
    folder = ported(request.param, tmp_path_factory.mktemp("port"))
    assert PORTS[request.param] in (folder / "Dockerfile").read_text() + (folder / "docker-compose.yml").read_text()
    return folder


def ported(name: str, to: Path) -> Path:
    root = to / name.split("/")[1]
    shutil.copytree(HERE / name, root)
    api.apply(root, write=True, inprocess=True)
    return root / "triton_serving"


def deployed(serving: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(serving.rglob("*")):
        name = path.relative_to(serving).as_posix()
        if path.is_file() and not any(fnmatch(name, pattern) for pattern in ELSEWHERE):
            yield name, path


def test_each_file_is_taken_by_the_tools_it_is_for(serving: Path) -> None:
    for name, path in deployed(serving):
        validators = [v for pattern, many in VALIDATORS.items() if fnmatch(name, pattern) for v in many]
        assert validators, f"nothing reads {name}"
        assert [f"{v.__name__}: {said}" for v in validators if (said := v(path))] == [], name


@pytest.mark.parametrize("name", SPOILT)
def test_each_tool_refuses_a_file_that_is_spoilt(name: str, tmp_path: Path) -> None:
    path = ported("queues/celery_class/app", tmp_path) / name
    was, becomes = SPOILT[name]
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, becomes))
    validators = [v for pattern, many in VALIDATORS.items() if fnmatch(name, pattern) for v in many]
    assert any(v(path) for v in validators)


def test_no_generated_file_is_left_out_here() -> None:
    assert {pattern for pattern in VALIDATORS if not any(fnmatch(name, pattern) for name in SPOILT)} == set()


@pytest.mark.parametrize(("was", "becomes"), KSERVE_REFUSES)
def test_kserve_s_own_schema_refuses_what_kserve_would(was: str, becomes: str, tmp_path: Path) -> None:
    path = ported("stack/metrics/app", tmp_path) / "k8s/kserve.yaml"
    (validate,) = VALIDATORS["k8s/*.yaml"]
    assert was in path.read_text() and validate(path) == ""
    path.write_text(path.read_text().replace(was, becomes))
    assert validate(path) != ""


def test_what_the_manifests_say_of_triton(tmp_path: Path) -> None:
    serving = ported("stack/metrics/app", tmp_path)
    kinds = {document["kind"] for path in (serving / "k8s").glob("*.yaml") for document in documents(path)}
    assert kinds == {"Deployment", "Service", "HorizontalPodAutoscaler", "InferenceService"}
    (triton, _) = documents(serving / "k8s/triton.yaml")
    pod = triton["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]
    assert pod["containers"][0]["volumeMounts"] == [{"name": "shm", "mountPath": "/dev/shm"}]
    assert pod["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert pod["containers"][0]["livenessProbe"]["exec"]["command"] == ["python3", "triton_serving/alive.py"]
    (scaler,) = documents(serving / "k8s/autoscaling.yaml")
    (adapter,) = documents(serving / "monitoring/prometheus-adapter.yaml")
    assert adapter["rules"]["custom"][0]["name"]["as"] == scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
    board = json.loads((serving / "monitoring/grafana.json").read_text())
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${" + board["__inputs"][0]["name"] + "}"}


def test_compose_wires_the_application_to_triton(tmp_path: Path) -> None:
    serving = ported("queues/celery_class/app", tmp_path)
    command = [tool("docker-compose"), "-f", "triton_serving/docker-compose.yml", "config", "--format", "json"]
    done = subprocess.run(command, cwd=serving.parent, capture_output=True, text=True, check=True)
    services = json.loads(done.stdout)["services"]
    assert services["app"]["environment"]["TRITON_URL"] == "http://triton:8000"
    assert services["app"]["depends_on"]["triton"]["condition"] == "service_healthy"
    dockerfile = services["triton"]["build"]
    assert (Path(dockerfile["context"]) / dockerfile["dockerfile"]).is_file()
    (serving / "Dockerfile.app").write_text(services["app"]["build"]["dockerfile_inline"])
    assert hadolint(serving / "Dockerfile.app") == ""


@pytest.mark.triton
def test_the_server_knows_each_option_that_it_is_started_with(serving: Path) -> None:
    line = next((line for line in (serving / "Dockerfile").read_text().splitlines() if line.startswith("CMD")), "")
    (program, *options) = json.loads(line.removeprefix("CMD "))
    if program != "tritonserver":
        assert "gunicorn" in program, "PyTriton starts its own"
        return
    known = subprocess.run([str(locate().server), "--help"], capture_output=True, text=True).stderr
    assert [option for option in options if option.partition("=")[0] not in known] == []


@pytest.mark.triton
def test_prometheus_has_an_answer_to_every_query(tmp_path: Path) -> None:
    serving = ported("stack/metrics/app", tmp_path)
    port = serving.parent
    subprocess.run([sys.executable, str(HERE / "stack/metrics/make_models.py")], cwd=port, check=True)
    board = json.loads((serving / "monitoring/grafana.json").read_text())
    (rule,) = yaml.safe_load((serving / "monitoring/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    scaling = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="default"').replace("<<.GroupBy>>", "pod")
    queries = [*(panel["targets"][0]["expr"] for panel in board["panels"]), rule["seriesQuery"], scaling]
    asking = "from fastapi.testclient import TestClient\nfrom main import app\nclient = TestClient(app)\n"
    asking += "for _ in range(3): client.post('/score', json={'rows': [[1.0, 2.0]]}).raise_for_status()\n"
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        (scrape,) = yaml.safe_load((serving / "monitoring/prometheus.yml").read_text())["scrape_configs"]
        where = urllib.parse.urlsplit(triton.metrics_url).netloc
        scrape["static_configs"] = [{"targets": [where], "labels": {"namespace": "default", "pod": "triton-0"}}]  # as a cluster labels it
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
        env = {**os.environ, "TRITON_URL": triton.url}
        subprocess.run([sys.executable, "-c", asking], cwd=port, env=env, check=True)
        address = f"127.0.0.1:{Ports.free().http}"
        command = [tool("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
        with (tmp_path / "prometheus.log").open("wb") as log:
            prometheus = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        try:
            unanswered, deadline = queries, time.monotonic() + 240
            while unanswered:  # a rate needs two scrapes
                assert time.monotonic() < deadline, (unanswered, (tmp_path / "prometheus.log").read_text())
                time.sleep(1)
                unanswered = [query for query in unanswered if not found(address, query)]
        finally:
            prometheus.terminate()
            prometheus.wait(60)


def found(address: str, query: str) -> Any:
    """The series that Prometheus answers with."""
    try:
        with urllib.request.urlopen(f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=60) as reply:
            return json.load(reply)["data"]["result"]
    except OSError:
        return []  # it is still starting
