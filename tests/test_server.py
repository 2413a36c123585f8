"""The launcher, on the real server: what it refuses, what it says about broken models, what "ready" means, and what it leaves behind."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from triton_migrate.base import TritonMigrateError
from triton_migrate.server import Ports, Triton, default_python, running
from triton_migrate.server.failures import worth_telling
from triton_migrate.server.interpreter import Interpreter, probe, refuse
from triton_migrate.server.launch import threads_each
from triton_migrate.server.process import server_name, sweep
from triton_migrate.server.repository import read
from triton_migrate.server.stage import stage
from triton_migrate.server.wheel import Wheel, locate

NO_WHEEL = importlib.util.find_spec("pytriton") is None
needs_triton = [pytest.mark.triton, pytest.mark.skipif(NO_WHEEL, reason="nvidia-pytriton is not installed")]

ECHO = """
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        arrays = [pb_utils.get_input_tensor_by_name(request, "X").as_numpy() for request in requests]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("Y", array)]) for array in arrays]
"""
SCALED = """
import json, os, sys
from factor import FACTOR_FILE
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def initialize(self, args):
        with open(os.path.join(os.environ["APP_ROOT"], FACTOR_FILE)) as file:
            self.factor = json.load(file)
        print("python is", sys.prefix, file=sys.stderr, flush=True)

    def execute(self, requests):
        arrays = [pb_utils.get_input_tensor_by_name(request, "X").as_numpy() * self.factor for request in requests]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("Y", array.astype("float32"))]) for array in arrays]
"""
ENSEMBLE = """platform: "ensemble" max_batch_size: 8
input [ { name: "A" data_type: TYPE_FP32 dims: [ 4 ] } ] output [ { name: "B" data_type: TYPE_FP32 dims: [ %s ] } ]
ensemble_scheduling { step [ { model_name: "%s" model_version: -1 input_map { key: "X" value: "A" } output_map { key: "Y" value: "B" } } ] }
"""


def config(backend: str = 'backend: "python"', more: str = "", x: str = "X", y: str = "Y", dtype: str = "FP32", dims: str = "4") -> str:
    """Text of a config.pbtxt: one vector in, one out."""
    tensors = "".join(
        f'{way} [ {{ name: "{name}" data_type: TYPE_{dtype} dims: [ {dims} ] }} ]\n' for way, name in (("input", x), ("output", y))
    )
    return f"{backend}\nmax_batch_size: 8\n{tensors}{more}"


ONNX, TORCH = 'backend: "onnxruntime"', 'backend: "pytorch"'
PYTHON = config()


def add_model(app: Path, name: str, config: str = PYTHON, **files: str) -> Path:
    """A model folder with version 1; `files` by stem (`model="..."` is `1/model.py`)."""
    version = app / "triton_serving" / "model_repository" / name / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(config)
    for stem, text in files.items():
        (version / f"{stem}.py").write_text(text)
    return version


def onnx_file(path: Path, first_axis: str | int = "batch", kind: str = "double") -> None:
    """Y = X + X over [first_axis, 4]; with kind "text" the identity of strings."""
    import onnx
    from onnx import TensorProto, helper

    element, op, inputs = (TensorProto.STRING, "Identity", ["X"]) if kind == "text" else (TensorProto.FLOAT, "Add", ["X", "X"])
    tensors = [helper.make_tensor_value_info(name, element, [first_axis, 4]) for name in ("X", "Y")]
    graph = helper.make_graph([helper.make_node(op, inputs, ["Y"])], "g", tensors[:1], tensors[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def call(server: Triton, model: str, values: Any, name: str = "X", dtype: str = "FP32") -> Any:
    """The first output of one request, or the error text of the server."""
    rows = np.array(values, dtype=object)
    tensor = {"name": name, "shape": list(rows.shape), "datatype": dtype, "data": values}
    request = urllib.request.Request(f"{server.url}/v2/models/{model}/infer", json.dumps({"inputs": [tensor]}).encode())
    try:
        with urllib.request.urlopen(request, timeout=240) as answer:
            output = json.load(answer)["outputs"][0]
            return np.array(output["data"]).reshape(output["shape"]).tolist()
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]


def status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=240) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def clean() -> Iterator[None]:
    """What ran in the test has taken its shared memory with it. Others may run servers beside us."""
    yield
    assert shared_memory(os.getpid(), *Foreground.started) == set()


def shared_memory(*pids: int) -> set[str]:
    """Files of servers that these processes have started."""
    return {file.name for file in Path("/dev/shm").glob("triton-migrate-*") if file.name.split("-")[3] in map(str, pids)}


def message(error: pytest.ExceptionInfo[TritonMigrateError]) -> str:
    return str(error.value)


# ---------------------------------------------------------------- interpreter


def fake_python(folder: Path, **facts: Any) -> Path:
    """A program that answers the probe as an interpreter we do not have would."""
    common = {"executable": "/env/bin/python", "version": "3.11", "base_prefix": str(folder), "numpy": "1.26.4"}
    answer = common | {"libdir": None, "multiarch": None, "modules": []} | facts
    program = folder / "python"
    program.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(answer))}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    return Wheel(tmp_path, tmp_path, tmp_path, tmp_path, ("3.10", "3.11", "3.12", "3.13"))


def test_default_python_prefers_the_apps_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert default_python(tmp_path) == Path(sys.executable)
    active, own = tmp_path / "active" / "bin" / "python", tmp_path / ".venv" / "bin" / "python"
    for python in (active, own):
        python.parent.mkdir(parents=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert default_python(tmp_path) == Path(sys.executable)  # an environment that is gone
    active.touch()
    assert default_python(tmp_path) == active
    own.touch()
    assert default_python(tmp_path) == own


def test_probe_of_this_interpreter() -> None:
    found = probe(Path(sys.executable))
    assert found.executable == Path(sys.executable)
    assert found.version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found.numpy == np.__version__
    assert found.libraries


@pytest.mark.parametrize("text", ["#!/bin/sh\necho no >&2; exit 3\n", "#!/bin/sh\necho '{}'\n", "#!/bin/sh\necho hello\n"])
def test_probe_refuses_what_is_no_python(tmp_path: Path, text: str) -> None:
    program = tmp_path / "python"
    with pytest.raises(TritonMigrateError, match="does not work as a Python interpreter"):
        probe(program)
    program.write_text(text)
    program.chmod(0o755)
    with pytest.raises(TritonMigrateError, match="does not work as a Python interpreter") as error:
        probe(program)
    assert "--python" in message(error)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"numpy": "2.1.0"},
            "NumPy 2.1.0; Triton's Python backend corrupts tensors with NumPy 2 (/env/bin/python -m pip install 'numpy<2')",
        ),
        ({"numpy": "2.1.0", "version": "3.13"}, "make one for the models: python3.11 -m venv"),
        ({"numpy": None}, "has no NumPy, which every Triton model needs (/env/bin/python -m pip install 'numpy<2')"),
        ({"version": "3.7"}, "cannot run models on Python 3.7 (/env/bin/python); it can on 3.10, 3.11, 3.12, 3.13"),
        ({"version": "3.12"}, "has no shared library libpython3.12.so.1.0"),
        ({}, "has no onnxruntime, which stands in for Triton's onnxruntime backend here (/env/bin/python -m pip install onnxruntime)"),
        ({"modules": ["onnxruntime"]}, "has no torch, which stands in for Triton's pytorch backend here"),
    ],
)
def test_interpreters_that_cannot_serve_are_refused_in_words(tmp_path: Path, wheel: Wheel, facts: dict[str, Any], words: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libpython3.11.so.1.0").touch()
    found = probe(fake_python(tmp_path, **facts))
    if facts.get("version") == "3.12":
        found = dataclasses.replace(found, libraries=(tmp_path / "lib",))
    with pytest.raises(TritonMigrateError) as error:
        refuse(found, wheel, ("onnxruntime", "pytorch"))
    assert words in message(error)


def test_an_interpreter_that_can_serve(tmp_path: Path, wheel: Wheel) -> None:
    (tmp_path / "libpython3.11.so.1.0").touch()
    refuse(Interpreter(Path("/p"), "3.11", (tmp_path,), "1.26.4", ("onnxruntime",)), wheel, ("onnxruntime",))


def test_missing_wheel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TritonMigrateError, match="no Triton server in this environment") as error:
        locate()
    assert "triton-migrate[triton]" in message(error)


# ---------------------------------------------------------------- repository


def test_repository_as_the_server_sees_it(tmp_path: Path) -> None:
    add_model(tmp_path, "a_chain", ENSEMBLE % (4, "net"))
    net = add_model(
        tmp_path, "net", config('platform: "onnxruntime_onnx"', 'default_model_filename: "net.onnx" instance_group [ { count: 3 } ]')
    )
    (net.parent / "10").mkdir()
    (net.parent / "v2").mkdir()
    served = add_model(tmp_path, "served", config(more="response_cache { enable: true } version_policy { all {} }"), model="")
    (served.parent / "configs").mkdir()
    (served.parent / "configs" / "cpu.pbtxt").write_text(config(more="instance_group [ { kind: KIND_CPU count: 2 } ]"))
    (tmp_path / "triton_serving" / "model_repository" / ".cache").mkdir()

    net_model, served_model, chain = read(tmp_path, gpu=False)
    assert (net_model.name, net_model.backend, net_model.files) == ("net", "onnxruntime", (net.parent / "10" / "net.onnx",))
    assert net_model.missing == net_model.files
    assert net_model.processes == 3
    assert (served_model.name, served_model.cached, served_model.processes) == ("served", False, 2)
    assert (chain.backend, chain.files, chain.processes) == ("ensemble", (), 0)

    with_gpu = read(tmp_path, gpu=True)[1]
    assert (with_gpu.cached, with_gpu.processes, with_gpu.files) == (True, 1, (served / "model.py",))
    assert threads_each((net_model, served_model, chain), cores=16) == 3
    assert threads_each((served_model,), cores=2) == 1


@pytest.mark.parametrize(
    ("config", "words", "line"),
    [
        (config(more="max_batchsize: 3"), 'has no field named "max_batchsize"', 5),
        ('backend: "python"\ninput [ { name: "X" data_type: TYPE_BYTES dims: [ 1 ] } ]', "TYPE_BYTES", 2),
        (config('backend: "openvino"'), "model broken needs the backend 'openvino', which cannot be run here", None),
        (config(""), "has neither backend nor platform", None),
    ],
)
def test_configurations_are_refused_with_their_line(tmp_path: Path, config: str, words: str, line: int | None) -> None:
    file = add_model(tmp_path, "broken", config, part="").parent / "config.pbtxt"
    with pytest.raises(TritonMigrateError) as error:
        read(tmp_path, gpu=False)
    assert (error.value.file, error.value.line) == (str(file), line)
    assert words in message(error)


def test_repositories_that_would_hang_the_server_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TritonMigrateError, match=r"triton-migrate apply .* --write"):
        read(tmp_path, gpu=False)
    version = add_model(tmp_path, "m")
    with pytest.raises(TritonMigrateError, match=r"m has no model\.py"):
        read(tmp_path, gpu=False)
    version.rmdir()
    with pytest.raises(TritonMigrateError, match=r"m has no version folder .*\.gitkeep"):
        read(tmp_path, gpu=False)
    (version.parent / "config.pbtxt").unlink()
    with pytest.raises(TritonMigrateError, match=r"every model needs a config\.pbtxt"):
        read(tmp_path, gpu=False)


def test_stage_is_a_copy_that_brings_its_own_python(tmp_path: Path) -> None:
    library, root, home = tmp_path / "lib", tmp_path / "wheel", tmp_path / "it's an environment"
    for folder in (library, root / "3.11", home):
        folder.mkdir(parents=True)
    (library / "libpython3.11.so.1.0").touch()
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        (root / name).touch()
    stub = root / "3.11" / "triton_python_backend_stub"
    stub.write_text('#!/bin/sh\necho "$1"; echo "$PATH"; echo "$LD_LIBRARY_PATH"\n')
    stub.chmod(0o755)
    python = home / "python3.11"
    python.touch()
    (home / "python3").symlink_to("/bin/sh")  # another one than the interpreter that was chosen
    version = add_model(tmp_path, "m", model=ECHO)
    (tmp_path / "weights").touch()
    os.truncate(tmp_path / "weights", 20 * 2**20)
    (version / "weights").symlink_to(tmp_path / "weights")
    (version / "__pycache__").mkdir()
    work = tmp_path / "work"
    work.mkdir()

    wheel = Wheel(root, root, root, root, ("3.11",))
    staged = stage(work, wheel, Interpreter(python, "3.11", (library,), "1.26.4", ()), read(tmp_path, gpu=False))
    copy = staged.repository / "m" / "1"
    assert {file.name for file in copy.iterdir()} == {"model.py", "weights"}
    assert not (copy / "weights").is_symlink()
    assert (copy / "weights").samefile(tmp_path / "weights"), "large files are linked, not copied"
    assert not (copy / "model.py").samefile(version / "model.py")
    assert not any(file.is_symlink() for file in staged.backends.rglob("*"))
    environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/mine"}
    wrapper = [staged.backends / "python" / "triton_python_backend_stub", "an argument"]
    said = subprocess.run(wrapper, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["an argument", f"{work / 'python'}:/usr/bin:/bin", f"{library}:/mine"]
    assert (work / "python" / "python3").samefile(python)


# ---------------------------------------------------------------- ports, log


def test_ports_that_cannot_be_used_are_refused() -> None:
    free = Ports.free()
    free.refuse_taken()
    with pytest.raises(TritonMigrateError, match="must differ"):
        Ports(free.http, free.http, free.metrics).refuse_taken()
    with pytest.raises(TritonMigrateError, match="metrics port 70000 cannot be used"):
        Ports(free.http, free.grpc, 70000).refuse_taken()
    with socket.create_server(("127.0.0.1", free.grpc)), pytest.raises(TritonMigrateError, match="--grpc-port") as error:
        free.refuse_taken()
    assert f"gRPC port {free.grpc} cannot be used" in message(error)


def test_only_what_matters_of_the_log_is_told() -> None:
    assert worth_telling("I1122 13:30:17.9 11518 model_lifecycle.cc:839] \"successfully loaded 'good'\"") is None
    assert worth_telling('E1122 13:29:46.0 9859 server.cc:241] "CudaDriverHelper has not been initialized."') is None
    assert worth_telling("+-------+---------+") is None
    assert worth_telling("") is None
    assert worth_telling("E1122 13:29:53.3 10614 x.cc:642] \"failed to load 'gpu'\"") == "failed to load 'gpu'"
    assert worth_telling("hello from a model") == "hello from a model"


# ---------------------------------------------------------------- the real server


@dataclasses.dataclass(frozen=True)
class Served:
    server: Triton
    app: Path
    said: list[str]


@pytest.fixture(scope="class")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Every kind of model at once, run by an environment of the app's own."""
    import torch

    app = tmp_path_factory.mktemp("app")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", app / ".venv"], check=True)
    packages = next((app / ".venv" / "lib").glob("python*/site-packages"))
    packages.joinpath("ours.pth").write_text(str(Path(np.__file__).parents[1]))  # NumPy without installing it once more
    (app / "factor.json").write_text("10")
    (app / "factor.py").write_text("raise ImportError('the module of the app hides the one of the model')")
    add_model(app, "scaled", model=SCALED, factor="FACTOR_FILE = 'factor.json'")
    add_model(app, "cached", config(more="response_cache { enable: true }"), model=ECHO)
    batching = "dynamic_batching { max_queue_delay_microseconds: 200000 }"
    one_thread = 'parameters { key: "intra_op_thread_count" value { string_value: "1" } }'
    add_model(app, "double", config(ONNX, batching + one_thread))
    (app / "triton_serving" / "export_double.py").write_text(
        "import pathlib, shutil\nshutil.copy('double.onnx', pathlib.Path(__file__).parent / 'model_repository/double/1/model.onnx')\n"
    )
    onnx_file(app / "double.onnx")
    text = add_model(app, "text", config('platform: "onnxruntime_onnx"', dtype="STRING"))
    onnx_file(text / "model.onnx", kind="text")
    clipped = add_model(app, "clipped", config(TORCH, batching, x="X__0", y="Y__0"))
    torch.jit.script(torch.nn.Threshold(0.5, 0.0)).save(str(clipped / "model.pt"))  # type: ignore[no-untyped-call]
    add_model(app, "chain", ENSEMBLE % (4, "double"))
    before, said, memory = tree(app), [], shared_memory()
    with running(app, ports=Ports.free(), say=said.append) as server:
        yield Served(server, app, said)
        after = tree(app)
    exported = "triton_serving/model_repository/double/1/model.onnx"
    assert after.pop(exported) == before["double.onnx"]
    assert after == before, "only the export writes into the user's tree"
    assert shared_memory() <= memory


@pytest.mark.usefixtures("served")
class TestServed:
    pytestmark = needs_triton

    def test_says_what_it_does(self, served: Served) -> None:
        assert served.said[0] == (
            "double: triton_serving/model_repository/double/1/model.onnx is missing, running triton_serving/export_double.py"
        )
        loaded = set(served.said[1:])
        assert {"scaled: loaded by python", "double: loaded by the stand-in for onnxruntime", "chain: loaded by ensemble"} <= loaded
        assert len(loaded) == len(served.server.models) == 6
        assert served.server.stand_ins == ("onnxruntime", "pytorch")
        assert served.server.version.startswith("2.")

    def test_every_port_answers(self, served: Served) -> None:
        assert status(f"{served.server.url}/v2/health/ready") == 200
        assert status(served.server.metrics_url) == 200
        host, port = served.server.grpc_url.split(":")
        socket.create_connection((host, int(port)), timeout=240).close()

    def test_python_model_finds_the_app_and_its_own_modules(self, served: Served) -> None:
        assert call(served.server, "scaled", [[1, 2, 3, 4]]) == [[10, 20, 30, 40]]
        prefix = next(line for line in served.server.log.text().splitlines() if line.startswith("python is "))
        assert prefix == f"python is {served.app / '.venv'}"

    def test_onnx_stand_in(self, served: Served) -> None:
        assert call(served.server, "double", [[1, 2, 3, 4], [5, 6, 7, 8]]) == [[2, 4, 6, 8], [10, 12, 14, 16]]
        assert call(served.server, "text", [["a", "ö", "", "d"]], dtype="BYTES") == [["a", "ö", "", "d"]]
        assert "expects 'FP32'" in call(served.server, "double", [[1, 2, 3, 4]], dtype="FP64")
        assert "Expected [-1,4], got [1,3]" in call(served.server, "double", [[1, 2, 3]])

    def test_onnx_stand_in_runs_requests_together(self, served: Served) -> None:
        def counters() -> tuple[int, int, int]:
            row = next(row for row in served.server.statistics() if row.name == "double")
            return row.request_success, row.inference_count, row.execution_count

        for _ in range(20):  # on a busy machine they may come too far apart to wait for each other
            before = counters()
            answers = together([lambda n=n: call(served.server, "double", [[n, 0, 0, 0]]) for n in range(4)])
            assert answers == [[[2 * n, 0, 0, 0]] for n in range(4)]
            requests, inferences, executions = (now - then for now, then in zip(counters(), before, strict=True))
            assert (requests, inferences) == (4, 4)
            if executions < 4:
                break
        assert executions < 4

    def test_pytorch_stand_in(self, served: Served) -> None:
        answers = together([lambda n=n: call(served.server, "clipped", [[n, 0.25, 1, 0.5]], name="X__0") for n in range(2)])
        assert answers == [[[0, 0, 1, 0]], [[1, 0, 1, 0]]]

    def test_ensemble_over_a_stand_in(self, served: Served) -> None:
        assert call(served.server, "chain", [[1, 0, 0, 1]], name="A") == [[2, 0, 0, 2]]

    def test_response_cache_is_there_when_a_model_asks_for_it(self, served: Served) -> None:
        for _ in range(20):  # the cache is filled after the answer is sent
            assert call(served.server, "cached", [[1, 2, 3, 4]]) == [[1, 2, 3, 4]]
        row = next(row for row in served.server.statistics() if row.name == "cached")
        assert row.request_success == 20
        assert row.execution_count < 20


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(calls)) as pool:
        return [answer.result() for answer in [pool.submit(each) for each in calls]]


@pytest.mark.usefixtures("clean")
class TestBroken:
    pytestmark = needs_triton

    def test_every_broken_model_is_told_with_its_reason(self, tmp_path: Path) -> None:
        add_model(tmp_path, "fine", model=ECHO)
        add_model(tmp_path, "syntax", model="def (")
        add_model(tmp_path, "imports", model="import numpy\nimport nowhere_to_be_found\n" + ECHO)
        add_model(tmp_path, "inner", model="from part import thing\n" + ECHO, part="\n\nraise RuntimeError('no weights')")
        add_model(tmp_path, "dies", model=ECHO + "    def initialize(self, args):\n        import os; os._exit(3)\n")
        add_model(tmp_path, "refused", config(more="dynamic_batching { priority_levels: 3 }"), model=ECHO)
        add_model(tmp_path, "shapes", ENSEMBLE % (5, "fine"))
        add_model(tmp_path, "depends", ENSEMBLE % (4, "imports"))
        onnx_file(add_model(tmp_path, "fixed", config(ONNX)) / "model.onnx", first_axis=1)
        onnx_file(add_model(tmp_path, "dtype", config(ONNX, dtype="FP64")) / "model.onnx")
        onnx_file(add_model(tmp_path, "names", config(ONNX, y="Z")) / "model.onnx")
        onnx_file(add_model(tmp_path, "rank", config(ONNX, dims="4, 1")) / "model.onnx")
        said: list[str] = []
        with pytest.raises(TritonMigrateError) as error, running(tmp_path, ports=Ports.free(), say=said.append):
            pytest.fail("served a broken repository")
        reasons = dict(line.split(": not loaded: ") for line in said if "not loaded" in line)
        assert "fine: loaded by python" in said
        assert reasons["syntax"] == "SyntaxError: invalid syntax (model.py, line 1)"
        assert reasons["imports"] == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"
        assert reasons["inner"] == "RuntimeError: no weights"
        assert reasons["dies"].startswith("its Python process died while loading")
        assert reasons["refused"] == "default priority level must be in range [1, 3] for refused"
        assert "inconsistent shape: [-1,5] is inferred from model shapes while [-1,4]" in reasons["shapes"]
        assert reasons["depends"] == "ensemble 'depends' depends on 'imports', which did not load"
        assert reasons["fixed"].endswith("the first dimension must be -1; but shape expected by the model is [1,4]")
        assert "configuration expects datatype TYPE_FP64 for input 'X', model provides TYPE_FP32" in reasons["dtype"]
        assert "unexpected inference output 'Z', allowed outputs are: Y" in reasons["names"]
        assert "the model expects 2 dimensions (shape [-1,4]) but the model configuration specifies 3 dimensions" in reasons["rank"]
        assert len(reasons) == 11
        assert "10 more failed" in message(error)

    def test_server_that_stands_still_is_started_once_more(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("triton_migrate.server.stillness.PATIENCE", 8.0)
        waits = "    def initialize(self, args):\n        import os, time\n        if not os.path.exists({0!r}):\n"
        waits += "            open({0!r}, 'w').close()\n            time.sleep(600)\n"
        add_model(tmp_path, "late", model=ECHO + waits.format(str(tmp_path / "begun")))
        said: list[str] = []
        with running(tmp_path, ports=Ports.free(), say=said.append) as server:
            assert server.models == ("late",)
        assert said == ["the server and its models wait for each other: starting it once more", "late: loaded by python"]

    @pytest.mark.parametrize(
        ("model", "part", "file", "line"),
        [
            ("def (", "", "1/model.py", 1),
            ("import numpy\nimport nowhere_to_be_found\n", "", "1/model.py", 2),
            ("import part\n", "\n\nimport json\njson.loads('')\n", "1/part.py", 4),
        ],
    )
    def test_the_error_is_placed_in_the_users_tree(self, tmp_path: Path, model: str, part: str, file: str, line: int) -> None:
        version = add_model(tmp_path, "broken", model=model, part=part)
        with pytest.raises(TritonMigrateError) as error, running(tmp_path, ports=Ports.free(), say=lambda line: None):
            pytest.fail("served a broken model")
        assert (error.value.file, error.value.line) == (str(version.parent / file), line)
        assert ("--python" in message(error)) == ("nowhere" in model)

    def test_configuration_that_only_the_server_refuses(self, tmp_path: Path) -> None:
        add_model(tmp_path, "misnamed", config('name: "other" backend: "python"'), model=ECHO)
        with pytest.raises(TritonMigrateError, match="directory name must equal model name") as error:
            serve_briefly(tmp_path)
        assert error.value.file == str(tmp_path / "triton_serving/model_repository/misnamed/config.pbtxt")

    def test_model_that_never_ends_loading(self, tmp_path: Path) -> None:
        add_model(tmp_path, "sleeps", model="import time\ntime.sleep(600)\n")
        with pytest.raises(TritonMigrateError, match=r"still loading after 1 s: sleeps"):
            serve_briefly(tmp_path, deadline=1)

    def test_export_that_is_missing_or_fails(self, tmp_path: Path) -> None:
        add_model(tmp_path, "net", config(ONNX))
        with pytest.raises(TritonMigrateError, match=r"net has no model\.onnx, and there is no script"):
            serve_briefly(tmp_path)
        script = tmp_path / "triton_serving" / "export_net.py"
        script.write_text("raise SystemExit('weights.pt is not there')")
        with pytest.raises(TritonMigrateError, match=r"export of model net failed: weights\.pt is not there"):
            serve_briefly(tmp_path)
        script.write_text("print('done')")
        with pytest.raises(TritonMigrateError, match=r"wrote no triton_serving/model_repository/net/1/model\.onnx"):
            serve_briefly(tmp_path)

    def test_taken_port(self, tmp_path: Path) -> None:
        add_model(tmp_path, "fine", model=ECHO)
        ports = Ports.free()
        with socket.create_server(("127.0.0.1", ports.metrics)), pytest.raises(TritonMigrateError, match=f"metrics port {ports.metrics}"):
            serve_briefly(tmp_path, ports)


def serve_briefly(app: Path, ports: Ports | None = None, deadline: float = 240) -> None:
    with running(app, ports=ports or Ports.free(), say=lambda line: None, deadline=deadline):
        pass


SERVE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born with it ignored
from pathlib import Path
from triton_migrate.base import TritonMigrateError
from triton_migrate.server import Ports, serve
try:
    serve(Path(sys.argv[1]), ports=Ports(*map(int, sys.argv[2:])), say=lambda line: print(line, flush=True))
except TritonMigrateError as error:
    sys.exit(f"error: {error}")
"""
GATED = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
root = os.environ["APP_ROOT"]
open(os.path.join(root, "loading"), "w").close()
while not os.path.exists(os.path.join(root, "gate")):
    time.sleep(0.02)
"""


class Foreground:
    """`serve` in a process of its own, as a user or a supervisor runs it."""

    started: ClassVar[set[int]] = set()

    def __init__(self, app: Path, temporary: Path) -> None:
        temporary.mkdir()
        self.temporary, self.ports = temporary, Ports.free()
        ports = map(str, dataclasses.astuple(self.ports))
        environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", SERVE, str(app), *ports]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started.add(self.process.pid)

    def ready(self) -> int | None:
        return status(f"http://127.0.0.1:{self.ports.http}/v2/health/ready")

    def wait_until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + 240
        while not happened():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < end, "nothing happened"
            time.sleep(0.02)

    def family(self) -> list[Any]:
        import psutil

        return psutil.Process(self.process.pid).children(recursive=True)

    def ended(self) -> str:
        return self.process.communicate(timeout=240)[0]


@pytest.fixture
def foreground(tmp_path: Path) -> Iterator[Callable[[Path], Foreground]]:
    started: list[Foreground] = []

    def start(app: Path) -> Foreground:
        started.append(Foreground(app, tmp_path / f"tmp{len(started)}"))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.ended()


def is_gone(family: list[Any]) -> bool:
    import psutil

    return not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.usefixtures("clean")
class TestForeground:
    pytestmark = needs_triton

    def test_ready_only_when_all_is_loaded_and_nothing_is_left(self, tmp_path: Path, foreground: Callable[[Path], Foreground]) -> None:
        add_model(tmp_path, "fine", model=ECHO)
        add_model(tmp_path, "gated", model=GATED + ECHO)
        serving = foreground(tmp_path)
        serving.wait_until((tmp_path / "loading").exists)
        assert serving.ready() is None, "no port opens while a model is loading"
        (tmp_path / "gate").touch()
        serving.wait_until(lambda: serving.ready() is not None)
        assert serving.ready() == 200
        assert status(f"http://127.0.0.1:{serving.ports.http}/v2/models/gated/ready") == 200
        family = serving.family()
        assert {"tritonserver", "sleep"} <= {process.name() for process in family}
        serving.process.send_signal(signal.SIGTERM)
        said = serving.ended()
        assert serving.process.returncode == 0, said
        assert is_gone(family)
        assert list(serving.temporary.iterdir()) == []
        lines = said.splitlines()
        assert lines[0] == f"starting Triton for {tmp_path}"
        assert {"fine: loaded by python", "gated: loaded by python"} <= set(lines)
        assert lines[-1] == "stopped"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stopped_while_loading(self, tmp_path: Path, foreground: Callable[[Path], Foreground], number: signal.Signals) -> None:
        add_model(tmp_path, "gated", model=GATED + ECHO)
        serving = foreground(tmp_path)
        serving.wait_until((tmp_path / "loading").exists)
        family = serving.family()
        serving.process.send_signal(number)
        said = serving.ended()
        assert (serving.process.returncode, said.splitlines()[-1]) == (0, "stopped")
        assert is_gone(family)
        assert list(serving.temporary.iterdir()) == []

    def test_server_that_ends_by_itself_is_an_error(self, tmp_path: Path, foreground: Callable[[Path], Foreground]) -> None:
        add_model(tmp_path, "fine", model=ECHO)
        serving = foreground(tmp_path)
        serving.wait_until(lambda: serving.ready() == 200)
        family = serving.family()
        next(process for process in family if process.name() == "tritonserver").kill()
        said = serving.ended()
        assert serving.process.returncode == 1
        assert said.splitlines()[-1].startswith("error: tritonserver was killed by signal 9")
        assert is_gone(family)


def test_what_a_killed_server_left_in_memory_the_next_one_removes() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from triton_migrate.server.process import server_name; print(server_name())"], stdout=-1
    ) as gone:
        left = Path("/dev/shm", f"{gone.communicate()[0].decode().strip()}_part")
    kept = Path("/dev/shm", f"{server_name()}_part")
    left.touch()
    kept.touch()
    try:
        sweep()
        assert (left.exists(), kept.exists()) == (False, True)
    finally:
        kept.unlink()
