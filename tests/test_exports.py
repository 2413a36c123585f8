"""Models leave their framework: each app of `exports/` is ported, its export script run, and its answers compared with the original's.

`exports/<name>/` is as in `ports/`; `case.json` says in `networks` which models must be in the repository afterwards and on which backend,
in `needs` the packages without which the case is skipped, in `versions` how many requests each version of a model answers, and in `config`
how the server runs a model.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
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


def settings_of(url: str, name: str) -> dict[str, Any]:
    """How the running server has a model run."""
    with urllib.request.urlopen(f"{url}/v2/models/{name}/config") as reply:
        config = json.load(reply)
    return {key: value["string_value"] for key, value in config["parameters"].items()} | config["optimization"]["graph"]


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
        answered = {(row.name, row.version): row.request_success for row in triton.statistics()}
        settings = {name: settings_of(triton.url, name) for name in case.get("config", {})}
    assert different(case, was, now) == ""
    assert settings == case.get("config", {}), "what the application tells its session, the server tells the backend"
    for name, versions in case.get("versions", {}).items():
        assert {number: answered[name, number] for number in versions} == versions
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
    assert sorted(path.name for path in (port / "triton_serving" / "model_repository").iterdir()) == ["wine"]


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


VERSIONS = Path(__file__).parent / "exports" / "torch_versions" / "app" / "app.py"
ONE_MORE = 'coast = load("coast.pt", 4)\n\n\n@app.post("/coast")\ndef of_coast():\n    x = torch.tensor([request.get_json()["values"]])\n'
ONE_MORE += "    with torch.no_grad():\n        return jsonify(at=int(coast(x)[0].argmax()))\n"


def test_a_function_that_loads_others_too_makes_no_versions(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"{VERSIONS.read_text()}\n\n{ONE_MORE}")
    report = api.apply(tmp_path, out=tmp_path / "out")
    assert report["not_ported"] == []
    patch = (tmp_path / "out/migration.patch").read_text()
    assert "version=NETS[version]" not in patch and "versions=[" not in patch


def test_versions_that_hold_more_than_a_network_stay_in_their_pipelines(tmp_path: Path) -> None:
    text = VERSIONS.read_text().replace("\n\ndef version_of", 'gate = torch.jit.load("gate.pt")\n\n\ndef version_of')
    text = text.replace("NETS[version](x)", "NETS[version](x * gate(x))")
    (tmp_path / "app.py").write_text(text)
    report = api.apply(tmp_path, out=tmp_path / "out")
    assert report["not_ported"] == []
    (served,) = report["served_models"]
    assert served["networks"] == [] and "more than one model" in " ".join(served["not_exported"])


@pytest.mark.triton
def test_estimators_to_choose_from_are_versions_of_a_framework_model(tmp_path: Path) -> None:
    source, port = Path(__file__).parent / "stack" / "versions", tmp_path / "port"
    shutil.copytree(source / "app", port)
    subprocess.run([sys.executable, str(source / "make_models.py")], cwd=port, check=True)
    api.apply(port, out=tmp_path / "out", write=True, exports="all")
    script = (
        "import json\nfrom app import app\nclient = app.test_client()\n"
        "paths = ['/risk/v1', '/risk/v2', '/risk/v3', '/risk/v4', '/risk?canary=1']\n"
        "print(json.dumps([client.post(p, json={'row': [1.5, 0.5]}).get_json() for p in paths]))\n"
    )

    def asked(url: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=port, env={**os.environ, "TRITON_URL": url}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        now = asked(triton.url)
        answered = {(row.name, row.version): row.request_success for row in triton.statistics()}
    was = asked("local")
    assert [reply.get("version") for reply in now] == [reply.get("version") for reply in was]
    assert [reply.get("risk") for reply in now] == pytest.approx([reply.get("risk") for reply in was], abs=1e-4)
    assert {n: answered["risk_network", n] for n in "123"} == {"1": 1, "2": 1, "3": 2}
