"""Models leave their framework: each app of `exports/` is ported, its export script run, and its answers compared with the original's.

`exports/<name>/` is as in `ports/`; `case.json` says in `networks` which models must be in the repository afterwards and on which backend,
and in `needs` the packages without which the case is skipped.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from test_port import FORKED, Case, ask, compiles, different, tree_of_models

from triton_migrate import api
from triton_migrate.server import Ports, running

CASES = [(path.parent, json.loads(path.read_text())) for path in sorted((Path(__file__).parent / "exports").glob("*/case.json"))]


def parameter(folder: Path, case: Case) -> object:
    missing = [package for package in case["needs"] if importlib.util.find_spec(package) is None]
    marks = [pytest.mark.skip(reason=f"needs {', '.join(missing)}")] if missing else []
    return pytest.param(folder, case, id=folder.name, marks=marks)


def ported(folder: Path, case: Case, tmp_path: Path) -> tuple[Path, list[tuple[int, Any]]]:
    """The port with the models that the case makes, and what the original answers."""
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(folder / "app", port)
    report = api.apply(port, out=tmp_path / "out", write=True, exports=case.get("exports", "networks"))
    assert report["not_ported"] == []
    compiles(port)
    shutil.copytree(folder / "app", original)
    was, _ = ask(FORKED, original, case, "", folder / "make_models.py")
    for file in tree_of_models(original, folder / "app"):
        (port / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original / file, port / file)
    return port, was


@pytest.mark.triton
@pytest.mark.parametrize(("folder", "case"), [parameter(*each) for each in CASES])
def test_exported_network_answers_like_the_original(folder: Path, case: Case, tmp_path: Path) -> None:
    port, was = ported(folder, case, tmp_path)
    now, _ = ask(FORKED, port, case, "local")
    assert different(case, was, now) == "", "without the export the original runs"

    said: list[str] = []
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=said.append) as triton:
        now, _ = ask(FORKED, port, case, triton.url)
        counted = {row.name: row.request_success for row in triton.statistics()}
    assert different(case, was, now) == ""
    for name, backend in case["networks"].items():
        assert counted.get(name), (said, counted)
        assert f"{name}: loaded by the stand-in for {backend}" in said


@pytest.mark.triton
def test_server_starts_where_the_export_fails(tmp_path: Path) -> None:
    folder, case = next((f, c) for f, c in CASES if f.name == "sklearn_proba")
    port, was = ported(folder, case, tmp_path)
    script = port / "triton_serving" / "export_wine_network.py"
    script.write_text(script.read_text().replace("tolerance=0.0001", "tolerance=1e-30"))
    said: list[str] = []
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=said.append) as triton:
        now, _ = ask(FORKED, port, case, triton.url)
        assert triton.stand_ins == ()
    assert different(case, was, now) == ""
    (told,) = (line for line in said if "runs the original" in line)
    assert "wine_network cannot be exported: float32: probabilities is off by" in told
    assert sorted(path.name for path in (port / "triton_serving" / "model_repository").iterdir()) == ["label", "wine"]


@pytest.mark.parametrize(
    ("name", "exports", "why"),
    [
        ("torch_mlp", "none", "--no-export"),
        ("sklearn_proba", "networks", "--export exports it all the same"),
        ("fastapi_settings", "all", "exported vectorisers split otherwise"),
        ("fastapi_batch", "all", "shows only when it is loaded"),
        ("flask_errors", "all", "which an exported file does not raise"),
    ],
)
def test_what_stays_in_python_says_why(name: str, exports: str, why: str, tmp_path: Path) -> None:
    folder = next(f for f in Path(__file__).parent.glob(f"*/{name}/app"))
    port = tmp_path / "port"
    shutil.copytree(folder, port)
    report = api.apply(port, out=tmp_path / "out", write=True, exports=exports)
    said = [reason for served in report["served_models"] for reason in served["not_exported"]]
    assert any(why in reason for reason in said), said
    assert not list(port.glob("triton_serving/export_*.py")) or exports == "all"
    assert all(reason in (port / "triton_serving" / "README.md").read_text() for reason in said)


def test_script_and_configuration_fit_the_network(tmp_path: Path) -> None:
    port = tmp_path / "port"
    shutil.copytree(Path(__file__).parent / "exports" / "transformers_text" / "app", port)
    report = api.apply(port, out=tmp_path / "out", write=True)
    (network,) = (network for served in report["served_models"] for network in served["networks"])
    assert (network["name"], network["backend"], network["place"]) == ("tiny", "onnxruntime", "model")
    script = (port / network["script"]).read_text()
    assert 'calls=["()"]' in script
    assert "tolerance=0.001" in script
    pipeline = next(port.glob("triton_serving/model_repository/*/1/pipeline.py"))
    assert "def use_tiny(made):" in pipeline.read_text()
    assert 'served("tiny")' in pipeline.with_name("model.py").read_text()
    assert "model_repository/tiny/" in (port / "triton_serving" / ".gitignore").read_text()
    docker = (port / "triton_serving" / "Dockerfile").read_text()
    assert "RUN python3 -m triton_serving.export_tiny" in docker
    assert "pip install --no-cache-dir 'numpy<2' onnx onnxruntime onnxscript" in docker
    assert not (port / "triton_serving" / "model_repository" / "tiny").exists()
