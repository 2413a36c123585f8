"""Modular pipelines become ensembles: a model for each stage, stages shared, and what is no stage stays one model, with the reason.

`ensembles/<name>/` is as `ports/<name>/`; its `case.json` says the `ensembles`, each with its stages in order, the models that are
`single`, why (`whys`) some stage is one, and the networks that are `exported`. `stacked` are requests that a real server is sent many of
at once.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
from collections import OrderedDict, UserDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixture_folders import tree
from google.protobuf import text_format
from test_port import FORKED, alike, ask, compiles, different, tree_of_models
from tritonclient.grpc.model_config_pb2 import ModelConfig

from triton_migrate import api
from triton_migrate.check import check
from triton_migrate.generate.templates import render
from triton_migrate.server import Ports, running

HERE = Path(__file__).parent / "ensembles"
CASES = [(path.parent, json.loads(path.read_text())) for path in sorted(HERE.glob("*/case.json"))]
NAMES = [folder.name for folder, _ in CASES]


def configs(port: Path) -> dict[str, ModelConfig]:
    found = sorted((port / "triton_serving" / "model_repository").glob("*/config.pbtxt"))
    return {path.parent.name: text_format.Parse(path.read_text(), ModelConfig()) for path in found}


@pytest.mark.parametrize(("folder", "case"), CASES, ids=NAMES)
def test_stages_are_models_of_an_ensemble(folder: Path, case: dict[str, Any], tmp_path: Path) -> None:
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(folder / "app", port)
    report = api.apply(port, out=tmp_path / "out", write=True)
    assert [e["endpoint"] for e in report["not_ported"]] == []
    compiles(port)
    assert [str(problem) for problem in check(port / "triton_serving" / "model_repository")] == []

    made = configs(port)
    ensembles = {name: [step.model_name for step in c.ensemble_scheduling.step] for name, c in made.items() if c.platform == "ensemble"}
    assert ensembles == case["ensembles"]
    assert set(made) == {*ensembles, *(stage for stages in ensembles.values() for stage in stages), *case.get("single", {})}
    for name in ensembles:
        assert (port / "triton_serving" / "model_repository" / name / "1" / ".gitkeep").read_text() == ""
        assert made[name].max_batch_size == 1
    served = {row["name"]: row for row in report["served_models"]}
    assert {name for name, row in served.items() if row["backend"] == "ensemble"} == set(ensembles)
    for name, why in {**case.get("single", {}), **case.get("whys", {})}.items():
        assert why in served[name]["why"]

    bare = tree(port)
    again = api.apply(port, out=tmp_path / "again", write=True)
    assert again["changes"] == []
    assert tree(port) == bare

    shutil.copytree(folder / "app", original)
    was, _ = ask(FORKED, original, case, "", folder / "make_models.py")
    give_models(original, folder, port)
    now, _ = ask(FORKED, port, case, "local")
    assert different(case, was, now) == ""


@pytest.mark.triton
@pytest.mark.parametrize(("folder", "case"), CASES, ids=NAMES)
def test_ensemble_on_triton_answers_like_the_original(folder: Path, case: dict[str, Any], tmp_path: Path) -> None:
    original, port = tmp_path / "original", tmp_path / "port"
    shutil.copytree(folder / "app", port)
    api.apply(port, out=tmp_path / "out", write=True)
    shutil.copytree(folder / "app", original)
    was, _ = ask(FORKED, original, case, "", folder / "make_models.py")
    give_models(original, folder, port)
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert set(case["ensembles"]) <= set(triton.models)
        now, _ = ask(FORKED, port, case, triton.url, together=8)
        counted = {row.name: row for row in triton.statistics()}
    wired = tmp_path / "wired"
    shutil.copytree(port / "triton_serving" / "model_repository", wired / "triton_serving" / "model_repository")
    if (port / "triton_serving" / "wiring.py").is_file():
        folder_of = str(wired / "triton_serving" / "model_repository")
        subprocess.run([sys.executable, "-m", "triton_serving.wiring", folder_of], cwd=port, check=True)
    run_by = {name: config.backend for name, config in configs(wired).items()}
    assert set(run_by) == set(counted)
    exported_ones = {*case.get("networks", []), *case.get("exported", [])}
    assert {name for name, backend in run_by.items() if backend in ("onnxruntime", "pytorch")} == exported_ones
    assert check(wired / "triton_serving" / "model_repository") == ()
    assert different(case, was, now[: len(was)]) == ""
    expected = [was[place] for place in case["stacked"]] * 8
    assert all(alike(reply, again) for reply, again in zip(expected, now[len(was) :], strict=True))
    for name, stages in case["ensembles"].items():
        assert counted[name].request_success > 0
        assert all(counted[stage].request_success >= counted[name].request_success for stage in stages)
    exported = case.get("exported", [])
    assert all(counted[network].request_success > 0 for network in exported), "the stages ask the exported networks"


def give_models(made: Path, folder: Path, port: Path) -> None:
    for file in tree_of_models(made, folder / "app"):
        (port / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / file, port / file)


@pytest.mark.parametrize("target", ["python-backend", "ensemble"])
def test_target_says_whether_stages_are_models(target: str, tmp_path: Path) -> None:
    modular, loose = tmp_path / "modular", tmp_path / "loose"
    shutil.copytree(HERE / "flask_two_networks" / "app", modular)
    shutil.copytree(HERE / "flask_text_to_image" / "app", loose)
    staged = {}
    for port in (modular, loose):
        api.apply(port, out=tmp_path / "out", write=True, target=target)
        staged[port.name] = {n: [s.model_name for s in c.ensemble_scheduling.step] for n, c in configs(port).items() if c.platform}
        assert check(port / "triton_serving" / "model_repository") == ()
    if target == "python-backend":
        assert staged == {"modular": {}, "loose": {}}
    else:
        assert staged["modular"] == {"classify_flower": ["scale", "encode", "classify", "best"], "embed_flower": ["scale", "encode"]}
        assert staged["loose"]["generate"][-3:] == ["encode_prompt", "denoise", "decode_image"]


class Tokens(UserDict[str, Any]):
    """Like a tokenizer's BatchEncoding: a mapping that is made from a dict."""


@dataclasses.dataclass
class Output(OrderedDict[str, Any]):
    """Like a ModelOutput: a mapping that is made by names."""

    logits: Any = None

    def __post_init__(self) -> None:
        self["logits"] = self.logits


def test_what_a_tokenizer_gives_crosses_between_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("triton_call", "triton_codec"):
        (tmp_path / f"{name}.py").write_text(render(f"{name}.py"))
    monkeypatch.syspath_prepend(tmp_path)
    call = importlib.import_module("triton_call")
    rows = np.arange(6, dtype=np.int64).reshape(2, 3)
    tokens, output = call.unpack_any(call.pack_any([Tokens(ids=rows), Output(logits=rows)]))
    assert (type(tokens), type(output)) == (Tokens, Output)
    assert np.array_equal(tokens["ids"], rows)
    assert np.array_equal(output.logits, rows)
    for name in ("triton_call", "triton_codec"):
        monkeypatch.delitem(sys.modules, name)


CROPS = """
import numpy as np
import torch
from flask import Flask, jsonify, request

class Detector:
    def __init__(self):
        self.model = torch.jit.load("detector.pt")
    def __call__(self, image):
        tensor = torch.from_numpy(image).float().div(255).unsqueeze(0)
        with torch.no_grad():
            heat = self.model(tensor)
        return heat[0].numpy()

class Reader:
    def __init__(self):
        self.model = torch.jit.load("reader.pt")
    def read(self, crops):
        batch = torch.from_numpy(np.stack(crops)).float()
        with torch.no_grad():
            scores = torch.softmax(self.model(batch), dim=1)
        return [int(row.argmax()) for row in scores]

def cut(image, heat):
    return [image[:, i] for i in np.flatnonzero(heat > 0.5)]

app = Flask(__name__)
detector = Detector()
reader = Reader()

@app.post("/read")
def read():
    image = np.array(request.get_json()["pixels"], dtype=np.uint8)
    heat = detector(image)
    crops = cut(image, heat)
    if not crops:
        return jsonify(digits=[])
    return jsonify(digits=reader.read(crops))
"""


def test_a_stage_is_one_model_however_many_statements_it_has(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CROPS)
    report = api.apply(tmp_path, write=True)
    assert [(e["category"], e["target"]) for e in report["endpoints"]] == [("modular", "ensemble")]
    whys = {row["name"]: row["why"] for row in report["served_models"]}
    assert set(whys) == {"detector", "reader_read"}
    assert "__call__ (app.py:9) is one stage" in whys["detector"]


SESSIONS = """
import numpy as np
import onnxruntime
from fastapi import FastAPI

def session(name):
    return onnxruntime.InferenceSession("weights/" + name)

class Finder:
    def __init__(self):
        self.net = session("finder.onnx")
    def locate(self, pixels):
        return self.net.run(None, {"pixels": pixels})[0]

class Reader:
    def __init__(self):
        self.net = session("reader.onnx")
    def read(self, pixels):
        return self.net.run(None, {"pixels": pixels})[0]

app = FastAPI()
finder = Finder()
reader = Reader()

def cut(pixels, corners):
    left = int(corners[0, 0] * 8)
    return np.ascontiguousarray(pixels[:, left : left + 8])

@app.post("/read")
def read(rows: list[list[float]]):
    pixels = np.asarray(rows, dtype=np.float32)
    corners = finder.locate(pixels)
    patch = cut(pixels, corners)
    letters = reader.read(patch)
    return {"letters": letters.argmax(axis=1).tolist()}
"""


def test_a_function_that_loads_several_models_gives_each_stage_a_network_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SESSIONS)
    report = api.apply(tmp_path, write=True)
    networks = {row["name"]: {n["name"] for n in row["networks"]} for row in report["served_models"] if row["networks"]}
    assert networks == {"finder_locate": {"finder_locate_network"}, "reader_read": {"reader_read_network"}}


RANKED = """
import torch
from flask import Flask, jsonify, request

app = Flask(__name__)
net = torch.jit.load("net.pt")
LABELS = ["calm", "windy", "storm"]

def prepare(values):
    return torch.tensor([values], dtype=torch.float32)

def infer(rows):
    with torch.no_grad():
        return net(rows)

def ranked(logits):
    return [{"label": LABELS[i], "logit": logits[0, i].item()} for i in logits[0].argsort().tolist()]

@app.post("/all")
def everything():
    rows = prepare(request.get_json()["values"])
    logits = infer(rows)
    kinds = ranked(logits)
    return jsonify(kinds)

@app.post("/again")
def again():
    rows = prepare(request.get_json()["values"])
    scores = infer(rows)
    found = ranked(scores)
    return jsonify(found=found)

@app.post("/best")
def best():
    rows = prepare(request.get_json()["values"])
    logits = infer(rows)
    kind = ranked(logits)[0]
    return jsonify(kind)
"""


def test_a_stage_whose_result_is_worked_on_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(RANKED)
    api.apply(tmp_path, out=tmp_path / "out", write=True)
    steps = {name: [s.model_name for s in c.ensemble_scheduling.step] for name, c in configs(tmp_path).items() if c.platform == "ensemble"}
    assert steps["again"][1:] == steps["everything"][1:]
    assert steps["best"][1:-1] == steps["everything"][1:-1]
    last = {steps[name][-1] for name in ("everything", "best")}
    assert len(last) == 2
    repository = tmp_path / "triton_serving" / "model_repository"
    assert "ranked(logits)[0]" in (repository / steps["best"][-1] / "1" / "pipeline.py").read_text()
