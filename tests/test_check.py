"""`check` beside the real server: what it calls an error the server refuses, with the line; what is right passes both."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from triton_migrate.base import TritonMigrateError
from triton_migrate.check import Problem, check
from triton_migrate.check.fields import read_fields
from triton_migrate.cli import cli
from triton_migrate.server import Ports, running

NO_WHEEL = importlib.util.find_spec("pytriton") is None
ECHO = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        arrays = [pb_utils.get_input_tensor_by_name(request, "X").as_numpy() for request in requests]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("Y", array)]) for array in arrays]
"""
HEAD = 'backend: "python"\nmax_batch_size: 8\n'
X, Y = ('{} [ {{ name: "{}" data_type: TYPE_FP32 dims: [ 4 ] }} ]\n'.format(*names) for names in (("input", "X"), ("output", "Y")))
GOOD = HEAD + X + Y
CACHE = "response_cache { enable: true }"
A, B = X.replace('"X"', '"A"'), Y.replace('"Y"', '"B"')
STEP = (
    '  step [ { model_name: "%s" model_version: -1\n    input_map { key: "%s" value: "%s" }\n    output_map { key: "%s" value: "%s" } } ]\n'
)


def ensemble(*steps: tuple[str, str, str, str, str], head: str = "max_batch_size: 8\n", tensors: str = A + B, more: str = "") -> str:
    """Text of an ensemble's config: line 1 platform, 2 batch size, 3 input, 4 output, 5 scheduling, then three lines a step."""
    return f'platform: "ensemble"\n{head}{tensors}ensemble_scheduling {{\n{"".join(STEP % step for step in steps)}}}\n{more}'


class Broken(NamedTuple):
    """A model with one mistake: the rule that must be told, on which line of which file."""

    rule: str
    line: int
    config: str
    server: bool = True  # does the real server refuse to load it?
    file: str = "config.pbtxt"
    model: str | None = ECHO
    version: str = "1"


ONE = ("echo", "X", "A", "Y", "B")
WARM = 'model_warmup [ { name: "w%s" batch_size: 1\n  inputs { key: "%s" value { data_type: TYPE_FP32 dims: [ %s ] zero_data: true } } } ]'
BLS = """import triton_python_backend_utils as pb_utils
class TritonPythonModel:
    def execute(self, requests):
        asked = pb_utils.InferenceRequest(model_name="%s", requested_output_names=["Y"], inputs=requests[0].inputs())
        return [asked.exec() for _ in requests]
"""
EXITING = """import sys
class TritonPythonModel:
    def execute(self, requests):
        sys.exit(1)
        return []
"""
BROKEN = {
    "name": Broken("name-differs", 1, 'name: "other"\n' + GOOD),
    "syntax": Broken("config-syntax", 3, HEAD + X.replace("FP32", "BYTES") + Y),
    "field": Broken("config-syntax", 2, GOOD.replace("max_batch_size", "max_batchsize")),
    "nodims": Broken("no-dims", 3, HEAD + X.replace("[ 4 ] }", "[ ] }") + Y),
    "zerodim": Broken("bad-dim", 4, HEAD + X + Y.replace("[ 4 ]", "[ 0 ]")),
    "notype": Broken("no-data-type", 3, HEAD + X.replace("data_type: TYPE_FP32", "") + Y),
    "twice": Broken("duplicate-tensor", 4, HEAD + X + X + Y, server=False),
    "reshaped": Broken("reshape-size", 3, HEAD + X.replace("[ 4 ]", "[ 4 ] reshape { shape: [ 3 ] }") + Y),
    "preferred": Broken("preferred-batch-size", 5, GOOD + "dynamic_batching { preferred_batch_size: [ 4, 16 ] }"),
    "priorities": Broken("priority-levels", 5, GOOD + "dynamic_batching { priority_levels: 2 }"),
    "cpugpu": Broken("cpu-with-gpus", 5, GOOD + "instance_group [ { kind: KIND_CPU gpus: [ 0 ] } ]"),
    "noversion": Broken("no-version", 1, GOOD, version="v1"),
    "policy": Broken("no-version", 5, GOOD + "version_policy { specific { versions: [ 3 ] } }"),
    "cached": Broken("cache-of-stream", 5, GOOD + CACHE + "\nmodel_transaction_policy { decoupled: true }", server=False),
    "nofile": Broken("no-model-file", 1, GOOD, server=False, file="1/model.py", model=None),
    "noclass": Broken("no-class", 1, GOOD, file="1/model.py", model="x = 1\n"),
    "notpython": Broken("python-syntax", 1, GOOD, file="1/model.py", model="class :\n"),
    "noexecute": Broken("no-execute", 1, GOOD, server=False, file="1/model.py", model="class TritonPythonModel:\n    pass\n"),
    "givesnone": Broken(
        "execute-gives-none", 2, GOOD, server=False, file="1/model.py",
        model="class TritonPythonModel:\n    def execute(self, requests):\n        for request in requests:\n            print(request)\n",
    ),
    "nostep": Broken("no-such-model", 6, ensemble(("nope", "X", "A", "Y", "B")), model=None),
    "badin": Broken("no-such-input", 7, ensemble(("echo", "XX", "A", "Y", "B")), model=None),
    "badout": Broken("no-such-output", 8, ensemble(("echo", "X", "A", "YY", "B")), model=None),
    "unmapped": Broken("unmapped-input", 6, ensemble(("pair_in", "X", "A", "Y", "B")), model=None),
    "batch": Broken("ensemble-batch-size", 2, ensemble(ONE, head="max_batch_size: 64\n"), model=None),
    "dims": Broken("shape-differs", 7, ensemble(ONE, tensors=A.replace("[ 4 ]", "[ 5 ]") + B), model=None),
    "types": Broken("type-differs", 8, ensemble(ONE, tensors=A + B.replace("FP32", "FP64")), model=None),
    "unused": Broken("unused-tensor", 9, ensemble(ONE, ("echo", "X", "A", "Y", "more")), model=None),
    "unusedin": Broken("unused-input", 4, ensemble(ONE, tensors=A + A.replace('"A"', '"A2"') + B), model=None),
    "written": Broken("written-twice", 11, ensemble(ONE, ("echo", "X", "A", "Y", "B")), model=None),
    "loop": Broken("tensor-circle", 9, ensemble(ONE, ("echo", "X", "q", "Y", "p"), ("echo", "X", "p", "Y", "q")), model=None),
    "gap": Broken("not-written", 7, ensemble(("echo", "X", "q", "Y", "B")), model=None),
    "backed": Broken("backend-and-platform", 10, ensemble(ONE, more='backend: "onnxruntime"'), model=None),
    "meet": Broken(
        "streams-meet", 9,
        ensemble(("stream", "X", "A", "Y", "p"), ("both", 'X" value: "A" } input_map { key: "Z', "p", "Y", "B")), model=None,
    ),
    "negdim": Broken("bad-dim", 4, HEAD + X + Y.replace("[ 4 ]", "[ -2 ]")),
    "noname": Broken("no-tensor-name", 3, HEAD + X.replace('name: "X" ', "") + Y),
    "nobackend": Broken("no-backend", 1, GOOD.replace('backend: "python"', "# no backend"), server=False, model=None),
    "platform": Broken("unknown-platform", 1, GOOD.replace("backend", "platform"), server=False),
    "scalar": Broken("reshape-without-batching", 3, GOOD.replace("8", "0").replace("[ 4 ]", "[ 1 ] reshape { shape: [ ] }", 1)),
    "negbatch": Broken("bad-batch-size", 2, GOOD.replace("8", "-1")),
    "twoways": Broken("config-syntax", 6, GOOD + "dynamic_batching { }\nsequence_batching { }"),
    "range": Broken("priority-levels", 5, GOOD + "dynamic_batching { priority_levels: 2 default_priority_level: 3 }"),
    "ordered": Broken(
        "ordering-and-priority", 6, GOOD + "dynamic_batching { priority_levels: 2 default_priority_level: 1\npreserve_ordering: true }"
    ),
    "delayed": Broken(
        "ordering-and-delay", 7,
        GOOD + "dynamic_batching { preserve_ordering: true\ndefault_queue_policy {\n"
        "timeout_action: DELAY default_timeout_microseconds: 9 } }",
    ),
    "sequenced": Broken("cache-of-sequence", 6, GOOD + "sequence_batching { }\n" + CACHE),
    "warmname": Broken("warmup-input", 6, GOOD + WARM % ("", "Z", "4")),
    "warmless": Broken("warmup-input", 5, GOOD + 'model_warmup [ { name: "w" batch_size: 1 } ]'),
    "warmbatch": Broken("warmup-batch", 5, GOOD + (WARM % ("", "X", "4")).replace("batch_size: 1", "batch_size: 9"), server=False),
    "warmdims": Broken("warmup-input", 6, GOOD + WARM % ("", "X", "5")),
    "warmtype": Broken("warmup-input", 6, GOOD + (WARM % ("", "X", "4")).replace("FP32", "FP64")),
    "warmfile": Broken("warmup-file", 6, GOOD + (WARM % ("", "X", "4")).replace("zero_data: true", 'input_data_file: "nope"')),
    "nosteps": Broken("no-steps", 1, f'platform: "ensemble"\n{A}{B}', model=None),
    "version": Broken("no-such-version", 6, ensemble(ONE).replace("model_version: -1", "model_version: 7"), model=None),
    "ring": Broken("circle", 5, ensemble(("ring", "A", "A", "B", "B")), model=None),
    "ordered_e": Broken("config-syntax", 10, ensemble(ONE, more="dynamic_batching { }"), model=None),
    "warm_e": Broken("not-on-ensemble", 10, ensemble(ONE, more=WARM % ("", "A", "4")), model=None),
    "faster": Broken("not-on-ensemble", 10, ensemble(ONE, more="optimization { }"), model=None),
    "cachedstep": Broken("cache-of-stream", 10, ensemble(("stream", "X", "A", "Y", "B"), more=CACHE), model=None),
    "exits": Broken("exits", 4, GOOD, server=False, file="1/model.py", model=EXITING),
    "itself": Broken("asks-in-circle", 4, GOOD, server=False, file="1/model.py", model=BLS % "itself"),
    "grouped": Broken("not-on-ensemble", 10, ensemble(ONE, more="instance_group [ { kind: KIND_CPU } ]"), model=None),
}  # fmt: skip


def write(repository: Path, name: str, config: str, model: str | None = ECHO, version: str = "1") -> None:
    folder = repository / name / version
    folder.mkdir(parents=True)
    (folder.parent / "config.pbtxt").write_text(config)
    (folder / ".gitkeep").touch()
    if model is not None:
        (folder / "model.py").write_text(model)


def good(repository: Path) -> None:
    write(repository, "echo", GOOD)
    write(repository, "pair_in", HEAD + X + X.replace('"X"', '"Z"') + Y)
    write(repository, "both", HEAD + X + X.replace('"X"', '"Z"') + Y)
    write(repository, "stream", GOOD + "model_transaction_policy { decoupled: true }")
    write(repository, "flat", GOOD.replace("8", "0").replace("[ 4 ]", "[ -1, 4 ]"))
    write(repository, "mixed", ensemble(("flat", "X", "A", "Y", "B")), model=None)
    write(repository, "whole", ensemble(ONE), model=None)
    write(repository, "chain", ensemble(("echo", "X", "A", "Y", "mid"), ("echo", "X", "mid", "Y", "B")), model=None)
    flat = ensemble(ONE, head="", tensors=(A + B).replace("[ 4 ]", "[ -1, 4 ]"))
    write(repository, "unbatched", flat, model=None)
    write(repository, "wild", ensemble(ONE, tensors=(A + B).replace("[ 4 ]", "[ -1 ]")), model=None)


@pytest.mark.parametrize("name", BROKEN)
def test_error_is_told_on_its_line(tmp_path: Path, name: str) -> None:
    broken = BROKEN[name]
    good(tmp_path)
    write(tmp_path, name, broken.config, broken.model, broken.version)
    errors = [problem for problem in check(tmp_path) if problem.severity == "error"]
    assert (broken.rule, broken.line, f"{name}/{broken.file}") in [(e.rule, e.line, e.file) for e in errors], errors
    assert all(error.file.startswith(f"{name}/") for error in errors)


def test_models_that_ask_each_other_wait_for_ever(tmp_path: Path) -> None:
    write(tmp_path, "asks", GOOD, BLS % "round")
    write(tmp_path, "round", ensemble(("echo", "X", "A", "Y", "mid"), ("asks", "X", "mid", "Y", "B")), model=None)
    write(tmp_path, "echo", GOOD, BLS % "asks")
    found = [(problem.file, problem.line, problem.rule) for problem in check(tmp_path)]
    assert found == [("asks/1/model.py", 4, "asks-in-circle"), ("echo/1/model.py", 4, "asks-in-circle")]
    write(tmp_path / "none", "asks", GOOD, BLS % "nope")
    assert [(problem.severity, problem.rule) for problem in check(tmp_path / "none")] == [("warning", "asks-no-model")]
    shutil.copytree(tmp_path / "none", tmp_path / "told")
    (tmp_path / "told" / "README.md").write_text("mkdir -p nope/1")
    assert [problem.severity for problem in check(tmp_path / "told")] == ["note"]
    write(tmp_path / "fine", "echo", GOOD)
    write(tmp_path / "fine", "asks", GOOD, (BLS % "echo").replace("for _", "for model_name"))
    assert check(tmp_path / "fine") == ()


def test_good_models_have_no_problem(tmp_path: Path) -> None:
    good(tmp_path)
    assert check(tmp_path) == ()


@pytest.mark.triton
@pytest.mark.skipif(NO_WHEEL, reason="nvidia-pytriton is not installed")
def test_the_real_server_says_the_same(tmp_path: Path) -> None:
    repository = tmp_path / "triton_serving" / "model_repository"
    good(repository)
    with running(tmp_path, ports=Ports.free(), say=lambda line: None) as triton:
        assert set(triton.models) == {"echo", "pair_in", "both", "whole", "chain", "unbatched", "wild", "stream", "flat", "mixed"}
    refused = {name: broken for name, broken in BROKEN.items() if broken.server and broken.rule not in ("no-version", "config-syntax")}
    for name, broken in refused.items():
        write(repository, name, broken.config, broken.model, broken.version)
    said: list[str] = []
    with pytest.raises(TritonMigrateError), running(tmp_path, ports=Ports.free(), say=said.append):
        pass
    blamed = {name for name in refused if any(line.startswith(f"{name}: not loaded") for line in said)}
    assert blamed == set(refused)


def test_what_is_accepted_but_not_done_is_a_warning(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a",
        GOOD.replace("8", "0") + "dynamic_batching { }\n" + CACHE + "\ninstance_group [ { kind: KIND_GPU } ]",
    )
    found = [(problem.severity, problem.rule, problem.line) for problem in check(tmp_path)]
    assert found == [("warning", "batching-without-batch", 5), ("warning", "cache-needs-flag", 6), ("note", "gpu-only", 7)]
    write(tmp_path, "b", 'platform: "onnxruntime_onnx"\n' + HEAD + Y)
    rest = [(problem.severity, problem.rule) for problem in check(tmp_path)][3:]
    assert rest == [("warning", "backend-and-platform"), ("warning", "no-tensors")]


def test_what_the_start_rests_on_is_a_note(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    good(repository)
    write(repository, "whole2", ensemble(("net", "X", "A", "Y", "B")), model=None, version="configs")
    write(
        repository,
        "streams",
        GOOD,
        "class TritonPythonModel:\n    def execute(self, requests):\n        requests[0].get_response_sender()\n",
    )
    write(repository, "filled", "", ECHO + "\n    @staticmethod\n    def auto_complete_config(config):\n        return config\n")
    (repository / "notes").mkdir()
    severities = {(problem.severity, problem.rule, problem.file.split("/")[0]) for problem in check(repository)}
    same = {("note", "no-model", "notes"), ("note", "no-tensors", "filled"), ("note", "auto-complete", "filled")}
    assert severities == same | {("error", "no-version", "whole2"), ("error", "no-such-model", "whole2")}
    (tmp_path / "README.md").write_text("mkdir -p models/net/1 models/whole2/1\nmv model.onnx models/net/1/\n")
    shutil.copytree(repository, tmp_path / "again")
    told = {(problem.severity, problem.rule, problem.file.split("/")[0]) for problem in check(tmp_path / "again")}
    assert told == same | {("note", "no-version", "whole2"), ("note", "no-such-model", "whole2")}
    write(repository, "net", 'platform: "onnxruntime_onnx"\n' + X + Y, model=None, version="configs")
    shutil.rmtree(repository / "whole2")
    assert {problem.severity for problem in check(repository)} == {"note"}
    done = CliRunner().invoke(cli, ["check", str(repository)])
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "0 errors, 0 warnings")
    assert "needed when the server starts: files of net." in done.output


def test_a_folder_of_repositories_and_a_model_stand_for_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "deploy" / "models"
    good(repository)
    write(repository, "bad", BROKEN["zerodim"].config)
    (tmp_path / "src").mkdir()
    (whole,) = check(tmp_path)
    assert (whole.file, whole.rule) == ("deploy/models/bad/config.pbtxt", "bad-dim")
    assert [problem.file for problem in check(repository / "bad")] == ["bad/config.pbtxt"]


def test_command_prints_places_and_exits_by_severity(tmp_path: Path) -> None:
    good(tmp_path)
    assert CliRunner().invoke(cli, ["check", str(tmp_path)]).exit_code == 0
    write(tmp_path, "bad", BROKEN["zerodim"].config)
    done = CliRunner().invoke(cli, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "bad/config.pbtxt:4: error: output 'Y' has dimension 0 [bad-dim]" in done.output
    assert "1 error, 0 warnings" in done.output


def test_a_model_without_a_configuration_is_told(tmp_path: Path) -> None:
    good(tmp_path)
    write(tmp_path, "bare", "")
    (tmp_path / "bare" / "config.pbtxt").unlink()
    (problem,) = check(tmp_path)
    assert (problem.severity, problem.rule, problem.file) == ("error", "no-config", "bare")


def test_an_output_that_a_step_reads_is_a_warning(tmp_path: Path) -> None:
    good(tmp_path)
    both = ensemble(
        ("echo", "X", "A", "Y", "mid"),
        ("echo", "X", "mid", "Y", "B"),
        tensors=A + B.replace("]\n", '] output [ { name: "mid" data_type: TYPE_FP32 dims: [ 4 ] } ]\n'),
    )
    write(tmp_path, "both_out", both, model=None)
    assert [(problem.severity, problem.rule, problem.line) for problem in check(tmp_path)] == [("warning", "output-read-by-step", 4)]


def test_hostile_bytes_are_a_problem_of_that_file(tmp_path: Path) -> None:
    good(tmp_path)
    write(tmp_path, "bytes", GOOD)
    (tmp_path / "bytes" / "config.pbtxt").write_bytes(b"\xff\xfe\x00")
    (problem,) = check(tmp_path)
    assert (problem.file, problem.rule) == ("bytes/config.pbtxt", "config-unreadable")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(TritonMigrateError, match="no models"):
        check(tmp_path)
    with pytest.raises(TritonMigrateError, match="is no folder"):
        check(tmp_path / "nope")


def test_fields_know_their_lines() -> None:
    fields = read_fields('# top\na: 1 b < c: "x" \'y\' >\nd [ 1,\n 2 ]\ne { key: "k" value { f: -1 } }\ne { key: "l" value { f: 2 } }')
    assert [(field.name, field.line) for field in fields.fields] == [("a", 2), ("b", 2), ("d", 3), ("d", 4), ("e", 5), ("e", 6)]
    assert fields.at("b").at("c").text == "xy"
    assert fields.entry("e", "l").at("value").at("f") == fields.at("e", 1).at("value").at("f")
    assert fields.at("nope").line == 1


def test_problems_sort_by_place() -> None:
    assert sorted([Problem("b", 1, "error", "r", "m", "f"), Problem("a", 2, "error", "r", "m", "f")])[0].file == "a"
