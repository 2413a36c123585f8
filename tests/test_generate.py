"""The files of triton_serving/: their text, and what they do in process (`TRITON_URL=local`) and on the real server over HTTP and gRPC."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import datetime
import decimal
import enum
import importlib
import importlib.util
import ipaddress
import math
import socket
import subprocess
import sys
import textwrap
import uuid
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pydantic
import pytest
import yaml  # type: ignore[import-untyped]
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from triton_migrate.base import Span, TritonMigrateError
from triton_migrate.generate.config import complaints, config_pbtxt
from triton_migrate.generate.repository import repository_files
from triton_migrate.generate.served import ServedApp
from triton_migrate.generate.snippets import unavailable_handler
from triton_migrate.plan.records import ServedModel, Tensor

SCORES = '''\
"""Sums four numbers; the steps have a way to fail for each kind of trouble."""

import os
import time
from pathlib import Path, PurePosixPath

import numpy as np

APP_ROOT = os.environ.get("APP_ROOT") or str(Path(__file__).resolve().parents[4])
weights = None


class BadRow(ValueError):
    pass


INVALID = (BadRow, KeyError, UnicodeDecodeError)


def load():
    global weights
    weights = np.loadtxt("weights.txt")


def preprocess(inputs):
    features, name = inputs["FEATURES"], inputs["NAME"][0, 0]
    assert features.shape == (1, 4), features.shape
    if features.min() < 0:
        raise BadRow(f"negative: {features.min()}\\nsecond line \\"ünï\\"")
    if name == b"missing":
        raise KeyError("name")
    if name == b"division":
        1 / 0
    return features, name.decode()


def stack(batches):
    return np.concatenate(batches)


def row_shape(batch):
    return batch.shape[1:]


def predict(batch, wanted):
    if (batch == 13).any():
        raise BadRow("thirteen")
    if len(batch) > 1:
        time.sleep(0.002)  # long enough for others to wait together
    out = {"SUM": batch @ weights}
    if "SHARES" in wanted:
        out["SHARES"] = batch / batch.sum(axis=1, keepdims=True)
    return out


def postprocess(rows, carried):
    if carried == "late":
        raise BadRow("late")
    out = {"SUM": rows["SUM"].reshape(1, 1), "LABEL": np.array([[f"{carried}!"]])}
    if "SHARES" in rows:
        keep = 3 if carried == "three" else 4
        out["SHARES"] = rows["SHARES"][:, ::-1][:, :keep]
    return out


def run(inputs, wanted):
    batch, carried = preprocess(inputs)
    return postprocess(predict(batch, wanted), carried)
'''

NOTES = '''\
"""Any value of plain Python data, and what it looks like here."""

import os
from pathlib import Path, PurePosixPath

from triton_codec import pack_json, unpack_json

APP_ROOT = os.environ.get("APP_ROOT") or str(Path(__file__).resolve().parents[4])
INVALID = (Exception,)


class NotLoaded(Exception):
    pass


class Odd(NotLoaded):
    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")


def load():
    pass


def run(inputs, wanted):
    value = unpack_json(inputs["VALUE"])
    if value == "odd":
        raise Odd(7, "odd")
    if value == "decode":
        b"\\xff".decode()
    if value == "long":
        raise ValueError("x" * 20_000)
    if value == "file":
        open("/does/not/exist")
    return {"VALUE": pack_json(value), "REPR": pack_json(repr(value))}
'''

TEXTS = '''\
"""Texts of one request are a batch of several rows, in a dict as tokenizers give it."""

import os
from pathlib import Path, PurePosixPath

import numpy as np
from triton_codec import pack_json, unpack_json

APP_ROOT = os.environ.get("APP_ROOT") or str(Path(__file__).resolve().parents[4])
INVALID = ()


def load():
    pass


def preprocess(inputs):
    texts = unpack_json(inputs["TEXTS"])
    width = max(map(len, texts))
    ids = np.array([[ord(letter) for letter in text.ljust(width)] for text in texts])
    return {"ids": ids, "mask": ids != 32}, texts


def stack(batches):
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def row_shape(batch):
    return batch["ids"].shape[1:]


def predict(batch, wanted):
    counts = batch["mask"].sum(axis=1).tolist()
    if any(chr(row[0]) == "+" for row in batch["ids"]):
        counts = [sum(counts)]  # rows are not kept apart
    return {"COUNTS": counts, "ROWS": np.full(len(counts), len(batch["ids"]))}


def postprocess(rows, carried):
    return {
        "COUNTS": pack_json([carried, rows["COUNTS"]]),
        "ROWS": rows["ROWS"][:1].reshape(1, 1),
    }


def run(inputs, wanted):
    batch, carried = preprocess(inputs)
    return postprocess(predict(batch, wanted), carried)
'''


def model(name: str = "scores", **changes: Any) -> ServedModel:
    scores = ServedModel(
        name=name,
        max_batch_size=16,
        inputs=(Tensor("FEATURES", "FP64", (4,), "features", "inferred"), Tensor("NAME", "STRING", (1,), "name", "declared")),
        outputs=(
            Tensor("SUM", "FP64", (1,), "total", "inferred"),
            Tensor("SHARES", "FP32", (-1,), "shares", "inferred"),
            Tensor("LABEL", "STRING", (1,), "label", "inferred"),
        ),
        stacked=True,
        pipeline=SCORES,
        requirements=("scikit-learn==1.5.0", "joblib"),
        artifacts=("weights.txt",),
        moved_from=(Span("app.py", 20, 4, 24, 10), Span("app.py", 9, 0, 9, 30)),
        framework="sklearn",
        why="The call of the model moves; parsing\nstays.",
    )
    return dataclasses.replace(scores, **changes)


NOTES_MODEL = model(
    "notes",
    max_batch_size=0,
    inputs=(Tensor("VALUE", "STRING", (1,), "value", "json"),),
    outputs=(Tensor("VALUE", "STRING", (1,), "value", "json"), Tensor("REPR", "STRING", (1,), "text", "json")),
    stacked=False,
    pipeline=NOTES,
    requirements=("joblib",),
    artifacts=(),
)
TEXTS_MODEL = model(
    "texts",
    inputs=(Tensor("TEXTS", "STRING", (1,), "texts", "json"),),
    outputs=(Tensor("COUNTS", "STRING", (1,), "counts", "json"), Tensor("ROWS", "INT32", (1,), "rows", "inferred")),
    pipeline=TEXTS,
)
MODELS = (model(), NOTES_MODEL, TEXTS_MODEL)
APP = ServedApp("sums", "sums.main:app", "asgi", False, ("fastapi",), ("sklearn",), "requirements.txt")
FILES = {file.path: file.text for file in repository_files(MODELS, APP)}
PYTHON = {path: text for path, text in FILES.items() if path.endswith(".py")}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ported application's folder. Its own modules have the names of ours: none may be taken for another."""
    root = tmp_path_factory.mktemp("app")
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    (root / "weights.txt").write_text("1 2 3 4\n")
    for name in ("pipeline", "model", "codec"):
        (root / f"{name}.py").write_text("raise ImportError('the module of the application')\n")
    return root


def client_for(app: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """client.py as a process with this TRITON_URL would import it, under a package name of its own."""
    package = f"port_{uuid.uuid4().hex}"
    folder = app / "triton_serving"
    spec = importlib.util.spec_from_file_location(package, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[package] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[package])
    with monkeypatch.context() as patch:
        patch.setenv("TRITON_URL", url)
        return importlib.import_module(f"{package}.client")


@pytest.fixture
def local(app: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.chdir(app)
    return client_for(app, "local", monkeypatch)


# ---------------------------------------------------------------- text


def test_files_are_complete_and_in_one_folder() -> None:
    around = {
        "__init__.py",
        "client.py",
        "alive.py",
        "triton_codec.py",
        "README.md",
        "requirements.txt",
        "Dockerfile",
        "docker-compose.yml",
    }
    around |= {f"k8s/{name}.yaml" for name in ("triton", "app", "autoscaling", "kserve")}
    around |= {"monitoring/prometheus.yml", "monitoring/prometheus-adapter.yaml", "monitoring/grafana.json"}
    each = {
        f"model_repository/{name}/{file}"
        for name in ("scores", "notes", "texts")
        for file in ("config.pbtxt", "1/model.py", "1/pipeline.py")
    }
    codecs = {f"model_repository/{name}/1/triton_codec.py" for name in ("notes", "texts")}
    assert set(FILES) == {f"triton_serving/{path}" for path in around | each | codecs}
    assert FILES["triton_serving/model_repository/notes/1/triton_codec.py"] == FILES["triton_serving/triton_codec.py"]
    assert all(file.reason and not file.executable for file in repository_files(MODELS, APP))
    assert repository_files(MODELS, APP) == repository_files(MODELS, APP)
    assert all(text.endswith("\n") and "\n\n\n\n" not in text for text in FILES.values() if text)


@pytest.mark.parametrize("path", [path for path in PYTHON if not path.endswith("pipeline.py")])
def test_generated_python_is_formatted_and_lints(path: str, tmp_path: Path) -> None:
    compile(PYTHON[path], path, "exec")
    file = tmp_path / "generated.py"
    file.write_text(PYTHON[path])
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_config_reads_like_one_written_by_hand() -> None:
    assert FILES["triton_serving/model_repository/scores/config.pbtxt"] == textwrap.dedent("""\
        # The call of the model moves; parsing stays.
        name: "scores"
        backend: "python"
        max_batch_size: 16
        input [
          { name: "FEATURES" data_type: TYPE_FP64 dims: [4] },
          { name: "NAME" data_type: TYPE_STRING dims: [1] }
        ]
        output [
          { name: "SUM" data_type: TYPE_FP64 dims: [1] },
          { name: "SHARES" data_type: TYPE_FP32 dims: [-1] },
          { name: "LABEL" data_type: TYPE_STRING dims: [1] }
        ]
        # no delay: requests that wait are batched anyway
        dynamic_batching { }
        # The Python backend chooses its device itself; each further instance is a process with its own copy of the model.
        instance_group [ { count: 1 kind: KIND_CPU } ]
        """)


def test_config_without_batching_has_the_batch_axis_in_its_shapes() -> None:
    config = text_format.Parse(config_pbtxt(NOTES_MODEL), ModelConfig())
    assert config.max_batch_size == 0
    assert "max_batch_size: 0" in config_pbtxt(NOTES_MODEL)
    assert [list(tensor.dims) for tensor in (*config.input, *config.output)] == [[1, 1]] * 3
    assert not config.HasField("dynamic_batching")


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (model("a/b"), "'a/b' cannot be a folder of the model repository (letters, digits, _ . -)"),
        (model(max_batch_size=0), "its requests are stacked, so max_batch_size must be at least 1"),
        (model(stacked=False), "its requests are run one by one, so max_batch_size must be 0 or 1, not 16"),
        (model(max_batch_size=-1), "max_batch_size -1 is negative"),
        (model(outputs=()), "Triton needs at least one output"),
        (model(inputs=(Tensor("A", "FP32", (), "a", "declared"),)), "input 'A' has no dims; a scalar per row is dims [1]"),
        (model(inputs=(Tensor("A", "FP32", (0,), "a", "declared"),)), "input 'A' has dimension 0; it must be at least 1, or -1 for any"),
        (model(inputs=(Tensor("errors", "FP32", (1,), "a", "declared"),)), "input 'errors' is an argument of client.infer"),
        (
            model(inputs=(Tensor("a-b", "FP32", (1,), "a", "declared"),)),
            "input 'a-b' is no Python name, so client.infer cannot take it as a keyword",
        ),
        (model(inputs=(Tensor("A", "FP32", (1,), "a", "json"),)), "input 'A' carries JSON, so it must be STRING [1]"),
        (model(inputs=(Tensor("A", "FP32", (1,), "a", "declared"),) * 2), "input 'A' is there twice"),
    ],
)
def test_what_triton_would_refuse_is_said_before(broken: ServedModel, complaint: str) -> None:
    assert complaints(broken) == (complaint,)
    with pytest.raises(TritonMigrateError, match="model "):
        repository_files((broken,), APP)


def test_what_is_proposed_for_a_backend_is_configuration() -> None:
    source = Path("fixtures/apps/fastapi_shapes/after/triton_serving/exporting.py").read_text()
    assigned = {ast.unparse(node.targets[0]): node.value for node in ast.parse(source).body if isinstance(node, ast.Assign)}
    proposed = ast.literal_eval(assigned["PROPOSED"])
    assert proposed.keys() == {"onnxruntime", "pytorch"}
    for reason, line in (row for rows in proposed.values() for row in rows):
        assert reason and text_format.Parse(line, ModelConfig()).ByteSize()


def test_bytes_is_no_type_of_a_config() -> None:
    (complaint,) = complaints(model(inputs=(Tensor("A", "BYTES", (1,), "a", "declared"),)))
    assert complaint.startswith("input 'A' has type BYTES, which is not one of BOOL, FP16, ")
    assert not complaints(model())
    with pytest.raises(TritonMigrateError, match="two models are called scores"):
        repository_files((model(), model()), APP)


def test_documents() -> None:
    readme = FILES["triton_serving/README.md"]
    assert "| scores | python | FEATURES FP64 [4], NAME STRING [1] | SUM FP64 [1], SHARES FP32 [-1], LABEL STRING [1] | stacked" in readme
    assert "| notes | python | VALUE *JSON* [1] |" in readme
    assert "| `app.py:9` | `model_repository/scores/1/pipeline.py` |\n| `app.py:20-24` |" in readme
    assert "\n\n## Run\n\n" in readme
    assert "`weights.txt`" in readme
    assert FILES["triton_serving/requirements.txt"].splitlines()[1:] == [
        "numpy<2",
        "joblib",
        "scikit-learn==1.5.0",
    ]


@pytest.mark.parametrize(
    ("served", "command"),
    [
        (APP, "uvicorn sums.main:app --host 0.0.0.0 --port 8080"),
        (dataclasses.replace(APP, factory=True), "uvicorn sums.main:app --factory --host 0.0.0.0 --port 8080"),
        (
            dataclasses.replace(APP, target="app:make", server="wsgi", factory=True, manifest=""),
            "gunicorn -w 1 --threads 16 -b 0.0.0.0:8080 'app:make()'",
        ),
    ],
)
def test_compose_file_is_yaml(served: ServedApp, command: str) -> None:
    files = {file.path: file.text for file in repository_files(MODELS, served)}
    services = yaml.safe_load(files["triton_serving/docker-compose.yml"])["services"]
    assert services["app"]["command"] == command
    assert services["app"]["environment"] == {"TRITON_URL": "http://triton:8000"}
    assert services["triton"]["build"] == {"context": "..", "dockerfile": "triton_serving/Dockerfile"}
    install = "-r requirements.txt uvicorn" if served.manifest else "'fastapi' gunicorn"
    install += " 'tritonclient[grpc,http]'"
    assert f"RUN pip install --no-cache-dir {install}\n" in services["app"]["build"]["dockerfile_inline"]


def test_handlers_answer_503() -> None:
    flask, fastapi = ("\n".join([*imports, code]) for imports, code in map(unavailable_handler, ("flask", "fastapi")))
    setup = "import types, sys; serving = types.ModuleType('triton_serving'); sys.modules['triton_serving'] = serving\n"
    setup += "serving.client = types.SimpleNamespace(Unavailable=type('Unavailable', (RuntimeError,), {}))\n"
    ask_flask = (
        "from flask import Flask\napp = Flask('x')\n" + flask + "\n@app.get('/')\ndef index(): raise triton.Unavailable('down')\n"
        "reply = app.test_client().get('/')\n"
        "assert (reply.status_code, reply.json) == (503, {'error': 'model server unavailable'}), reply\n"
    )
    ask_fastapi = (
        "from fastapi import FastAPI\nfrom fastapi.testclient import TestClient\napp = FastAPI()\n" + fastapi + "\n"
        "@app.get('/')\ndef index(): raise triton.Unavailable('down')\nreply = TestClient(app).get('/')\n"
        "assert (reply.status_code, reply.json()) == (503, {'detail': 'model server unavailable'}), reply\n"
    )
    for script in (ask_flask, ask_fastapi):
        subprocess.run([sys.executable, "-c", setup + script], check=True)
    with pytest.raises(TritonMigrateError, match="bottle"):
        unavailable_handler("bottle")


# ---------------------------------------------------------------- values


@dataclasses.dataclass
class Point:
    x: float
    tags: set[str]


class Box(pydantic.BaseModel):
    corner: tuple[int, int]
    label: str | None = None


VALUES: list[object] = [
    None, True, 3, -0.0, 0.1, 1e308, 2**70, "ünï \ud800 \x00 \U0001f600", [], {}, [1, [2.5, None]], {"a": {"b": []}},
    (1, "x", (2,)), {1, 2}, frozenset([3, 4]), b"\x00\xff", bytearray(b"ab"), 1 - 2j, {1: "int", (2, 3): "tuple", None: 0},
    {"$tuple": [1]}, {"$unknown": 1}, {"$tuple": 1, "b": 2},
    datetime.datetime(2024, 5, 6, 7, 8, 9, 10, datetime.timezone.utc), datetime.date(2024, 5, 6), decimal.Decimal("1.10"), uuid.UUID(int=5),
    datetime.time(7, 8, 9, 10, datetime.timezone.utc), datetime.timedelta(-1, 5, 6), Path("/a/ü b.txt"), PurePosixPath("x"), range(1, 9, 2),
    ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("fe80::/10"), {1: 2, "b": 3}.keys(), {(1, "a"): [2]}.items(),
    deque([1, (2,)], maxlen=5), Counter({"a": 2, (1, 2): 1}), pydantic.SecretStr("né"), pydantic.SecretBytes(b"\xff"),
    pydantic.TypeAdapter(pydantic.HttpUrl).validate_python("https://ex.org/ü?q=1"),
    pydantic.TypeAdapter(pydantic.PostgresDsn).validate_python("postgres://u:p@h:5432/db"),
]  # fmt: skip
ARRAYS = [
    np.arange(6, dtype=np.int16).reshape(2, 3).T, np.array(3.5), np.zeros((0, 4), np.float32), np.array(["a", "üß"]), np.array([True]),
    np.array([{"a": (1,)}, None, b"x"], dtype=object), np.array([1.5, math.nan, -math.inf]), np.array(["2024-01-02"], "M8[D]"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_tensor_keeps_the_value(local: ModuleType, value: object) -> None:
    tensor = local.pack_json(value)
    assert (tensor.shape, tensor.dtype, type(tensor[0, 0])) == ((1, 1), object, bytes)
    back = local.unpack_json(tensor)
    assert (back, type(back), repr(back)) == (value, type(value), repr(value))


@pytest.mark.parametrize("array", ARRAYS, ids=repr)
def test_json_tensor_keeps_arrays(local: ModuleType, array: Any) -> None:
    back = local.unpack_json(local.pack_json({"x": [array]}))["x"][0]
    assert (back.dtype, back.shape, repr(back)) == (array.dtype, array.shape, repr(array))
    back = local.unpack_json(local.pack_json(array.reshape(-1)[:1]))
    assert back.flags.writeable


def test_json_tensor_of_special_values(local: ModuleType) -> None:
    def through(value: object) -> Any:
        return local.unpack_json(local.pack_json(value))

    assert math.isnan(through(math.nan))
    assert through([math.inf, -math.inf]) == [math.inf, -math.inf]
    for scalar in (np.float32(0.1), np.float64(0.1), np.int64(3), np.bool_(True)):
        assert (through(scalar), type(through(scalar))) == (scalar, type(scalar))
    assert list(through({"a": 1, "b": (2,)}.values())) == [1, (2,)]
    assert through(pydantic.SecretStr("s")).get_secret_value() == "s"
    with pytest.raises(TypeError, match=r"^os\.system is none of what travels as its text$"):
        local.unpack_json(np.array([[b'{"$made": ["os", "system", "true"]}']], object))
    assert through(Point(0.5, {"a"})) == {"x": 0.5, "tags": {"a"}}
    assert through([Box(corner=(1, 2))]) == [{"corner": (1, 2), "label": None}]
    with pytest.raises(TypeError, match=r"^a builtins\.object cannot travel to or from Triton as JSON$"):
        through({"a": object()})


class Size(enum.Enum):
    SMALL = 1


class Place(NamedTuple):
    row: int
    size: Size


@dataclasses.dataclass(frozen=True, slots=True)
class Shelf:
    boxes: tuple[Box, ...]
    places: dict[Size, Place]
    made: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "made", self.made + 1)


def test_json_tensor_keeps_records_whose_classes_are_known(local: ModuleType) -> None:
    shelf = Shelf((Box(corner=(1, 2)),), {Size.SMALL: Place(3, Size.SMALL)})
    tensor = local.pack_json({"all": [shelf, None]})
    back = local.unpack_json(tensor, Shelf, Box, Place, Size)["all"][0]
    assert (back, type(back), back.made) == (shelf, Shelf, 1), "made as it was: __post_init__ does not run twice"
    assert type(back.boxes[0]) is Box and back.boxes[0].model_fields_set == {"corner"}
    assert type(back.places[Size.SMALL]) is Place
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = local.unpack_json(tensor)["all"][0]
    assert back.boxes[0].corner == (1, 2) == back["boxes"][0]["corner"] and "label" in back.boxes[0]
    row, size = back.places[1]
    assert (row, size, back.places[1].row) == (3, 1, 3), "of unknown classes: attributes and items, and a tuple stays one"
    with pytest.raises(AttributeError, match="a record with boxes, places, made has no colour"):
        back.colour  # noqa: B018


def test_json_tensor_keeps_tables(local: ModuleType) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(
        {
            "n": np.array([1, 2], dtype=np.int32),
            "x": [0.5, math.nan],
            "s": ["a", None],
            "when": pd.to_datetime(["2026-01-02", "2026-01-03"]),
            "kind": pd.Categorical(["b", "a"], categories=["b", "a", "c"], ordered=True),
            "maybe": pd.array([1, None], dtype="Float64"),
            7: [True, False],
        },
        index=["one", "two"],
    )
    back = local.unpack_json(local.pack_json({"table": table}))["table"]
    pd.testing.assert_frame_equal(back, table)
    pd.testing.assert_series_equal(local.unpack_json(local.pack_json(table["s"])), table["s"])
    empty = local.unpack_json(local.pack_json(table[:0]))
    assert (list(empty.columns), len(empty), empty["n"].dtype) == (list(table.columns), 0, np.int32)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_array"])
def test_json_tensor_keeps_sparse_matrices(local: ModuleType, kind: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = getattr(sparse, kind)(np.array([[0, 1.5, 0], [0, 0, np.nan]], dtype=np.float32))
    back = local.unpack_json(local.pack_json({"x": matrix}))["x"]
    assert (type(back), back.shape, back.dtype) == (type(matrix), matrix.shape, matrix.dtype)
    np.testing.assert_array_equal(back.toarray(), matrix.toarray())


def test_pack_and_unpack(local: ModuleType) -> None:
    pack = local.pack
    for value, dtype, shape, kind, row in [
        (3, "INT64", (1, 1), np.int64, [3]), (3, "FP32", (1, 1), np.float32, [3.0]), ([1, 2.5], "FP64", (1, 2), np.float64, [1.0, 2.5]),
        ((True, False), "BOOL", (1, 2), np.bool_, [True, False]), (np.ones((2, 2)), "FP64", (1, 2, 2), np.float64, [[1.0, 1.0]] * 2),
        ([], "FP64", (1, 0), np.float64, []), ([1, 255], "UINT8", (1, 2), np.uint8, [1, 255]),
        (np.float16(2), "FP32", (1, 1), np.float32, [2.0]),
        ("x", "STRING", (1, 1), object, [b"x"]), (["a", b"b"], "STRING", (1, 2), object, [b"a", b"b"]),
    ]:  # fmt: skip
        array = pack(value, dtype)
        assert (array.shape, array.dtype) == (shape, kind)
        assert repr(local.unpack_list(array)) == repr(row)
    for value, dtype in [(1.5, "INT64"), (300, "UINT8"), (-1, "UINT8"), (None, "FP64"), (2, "BOOL"), ("1.5", "FP64"), (math.nan, "INT32")]:
        with pytest.raises(TypeError, match=f"{dtype} cannot hold"), np.errstate(invalid="ignore"):
            pack(value, dtype)
    with pytest.raises(TypeError, match="STRING cannot hold 3"):
        pack(3, "STRING")
    assert repr(local.unpack_scalar(pack(0.1, "FP64"))) == "0.1"
    assert local.unpack_scalar(pack(b"\xff", "STRING")) == b"\xff"
    assert local.unpack_text(pack("ü\ud800", "STRING")) == "ü\ud800"
    assert local.unpack_texts(pack(["a", "ß"], "STRING")) == ["a", "ß"]


# ---------------------------------------------------------------- the client and the models


class BadRow(ValueError):  # noqa: N818 - as the pipeline's is called
    """The application's class of the name that the pipeline's has."""


class Picky(ValueError):  # noqa: N818
    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")


Picky.__name__ = "BadRow"

Ask = Callable[[Any], Any]
ROW = np.array([[1.0, 2.0, 3.0, 4.0]])


def scores(client: Any, row: Any = ROW, name: str = "x", outputs: tuple[str, ...] = ("SUM", "LABEL", "SHARES"), **more: Any) -> Any:
    return client.infer("scores", outputs, FEATURES=row, NAME=client.pack(name, "STRING"), **more)


def notes(client: Any, value: object, **more: Any) -> Any:
    out = client.infer("notes", ["VALUE", "REPR"], VALUE=client.pack_json(value), **more)
    return client.unpack_json(out["VALUE"]), client.unpack_json(out["REPR"])


# name -> (what to ask, class of the error, its text); the class "port" is the client's own
TROUBLES: dict[str, tuple[Ask, type[Exception] | str, str]] = {
    "own class": (lambda c: scores(c, -ROW, errors=(KeyError, BadRow)), BadRow, 'negative: -4.0\nsecond line "ünï"'),
    "own class that cannot be built": (lambda c: scores(c, -ROW, errors=(Picky,)), Picky, 'negative: -4.0\nsecond line "ünï"'),
    "only its base is caught": (lambda c: scores(c, -ROW, errors=(TypeError, ValueError)), ValueError, 'negative: -4.0\nsecond line "ünï"'),
    "not caught": (lambda c: scores(c, -ROW), "InvalidInput", 'BadRow < ValueError: negative: -4.0\nsecond line "ünï"'),
    "caught as another": (lambda c: scores(c, -ROW, errors=(KeyError,)), "InvalidInput", "BadRow < ValueError: nega"),
    "key": (lambda c: scores(c, name="missing", errors=(KeyError,)), KeyError, "'name'"),
    "in predict": (lambda c: scores(c, ROW * 13, errors=(BadRow,)), BadRow, "thirteen"),
    "in postprocess": (lambda c: scores(c, name="late", errors=(BadRow,)), BadRow, "late"),
    "internal": (lambda c: scores(c, name="division", errors=(ValueError,)), "TritonError", "ZeroDivisionError: division by zero"),
    "everything is caught": (lambda c: notes(c, "odd", errors=(Exception,)), Exception, "7: odd"),
    "a long text": (lambda c: notes(c, "long", errors=(Exception,)), ValueError, "x" * 20_000),
    "a builtin's subclass": (lambda c: notes(c, "file", errors=(OSError,)), FileNotFoundError, "[Errno 2] No such file"),
    "five arguments": (lambda c: notes(c, "decode", errors=(ValueError,)), UnicodeDecodeError, "'utf-8' codec can't decode byte 0xff"),
}


def raised(client: Any, ask: Ask) -> Exception:
    with pytest.raises(Exception) as info:  # noqa: PT011 - which one is the question
        ask(client)
    return info.value


def shapes(out: dict[str, Any]) -> dict[str, tuple[Any, Any, bytes]]:
    return {
        name: (array.shape, array.dtype, array.tobytes() if array.dtype != object else repr(array).encode()) for name, array in out.items()
    }


def test_local_runs_the_pipeline_as_configured(local: ModuleType) -> None:
    out = scores(local)
    assert list(out) == ["SUM", "LABEL", "SHARES"]
    assert out["SUM"].tolist() == [[30.0]]
    assert out["LABEL"].tolist() == [[b"x!"]]
    assert (out["SHARES"].dtype, out["SHARES"].shape) == (np.float32, (1, 4))
    assert list(scores(local, outputs=("SUM",))) == ["SUM"]
    assert notes(local, (1, {2})) == ((1, {2}), "(1, {2})")
    assert "codec" not in sys.modules
    assert "pipeline" not in sys.modules


@pytest.mark.parametrize("name", TROUBLES)
def test_local_errors(local: ModuleType, name: str) -> None:
    check_trouble(local, name)


def check_trouble(client: ModuleType, name: str) -> None:
    ask, kind, text = TROUBLES[name]
    error = raised(client, ask)
    assert str(error).startswith(text)
    if isinstance(kind, str):
        assert type(error) is getattr(client, kind)
        assert getattr(error, "status") == {"InvalidInput": 400, "TritonError": 500}[kind]  # noqa: B009
    else:
        assert isinstance(error, kind)
        assert type(error).__name__ in (kind.__name__, "BadRow", "Odd")
        assert not isinstance(error, client.TritonError)


def test_async_handlers_wait_in_a_thread(local: ModuleType) -> None:
    async def handler() -> Any:
        both = (local.infer_async("scores", ["SUM"], FEATURES=ROW * k, NAME=local.pack("x", "STRING")) for k in (1, 2))
        return [out["SUM"].tolist() for out in await asyncio.gather(*both)]

    assert asyncio.run(handler()) == [[[30.0]], [[60.0]]]


def test_local_loads_once(local: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    read = np.loadtxt

    def counted(path: str) -> Any:
        loads.append(path)
        return read(path)

    monkeypatch.setattr(np, "loadtxt", counted)
    with ThreadPoolExecutor(8) as pool:
        assert {out["SUM"][0, 0] for out in pool.map(lambda _: scores(local), range(32))} == {30.0}
    assert loads == ["weights.txt"]


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http:", "LOCAL"])
def test_wrong_url_is_refused_at_import(app: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="http://host:8000, grpc://host:8001 or local expected"):
        client_for(app, url, monkeypatch)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "grpc://127.0.0.1:9"])
def test_no_server_is_unavailable(app: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for(app, url, monkeypatch)
    error = raised(client, lambda c: scores(c, errors=(ValueError, KeyError)))
    assert type(error) is client.Unavailable
    assert isinstance(error, client.TritonError)
    assert getattr(error, "status", None) == 503


# ---------------------------------------------------------------- on the real server


@pytest.fixture(scope="module")
def triton(app: Path, python: Path) -> Iterator[Any]:
    pytest.importorskip("pytriton")
    from triton_migrate.server import Ports, running

    with running(app, python=python, ports=Ports.free()) as server:
        yield server


@pytest.fixture(params=["http", "grpc"])
def remote(request: pytest.FixtureRequest, app: Path, triton: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return client_for(app, triton.url if request.param == "http" else f"grpc://{triton.grpc_url}", monkeypatch)


@pytest.mark.triton
def test_server_answers_byte_for_byte_like_local(remote: ModuleType, local: ModuleType) -> None:
    for row, name in [(ROW, "ünï"), (ROW * 0.1, "three"), (ROW[:, ::-1], "")]:
        there = scores(remote, row, name)
        assert shapes(there) == shapes(scores(local, row, name))
        assert all(array.flags.writeable for array in there.values())
    for value in [*VALUES, [array.tolist() for array in ARRAYS[:2]], "x" * 100_000]:
        assert notes(remote, value) == notes(local, value)
    assert shapes(scores(remote, outputs=("LABEL",))) == shapes(scores(local, outputs=("LABEL",)))


@pytest.mark.triton
@pytest.mark.parametrize("name", TROUBLES)
def test_server_errors(remote: ModuleType, local: ModuleType, name: str) -> None:
    check_trouble(remote, name)
    there, here = (raised(client, TROUBLES[name][0]) for client in (remote, local))
    assert (type(there).__name__, str(there)) == (type(here).__name__, str(here))


@pytest.mark.triton
def test_requests_of_several_rows(remote: ModuleType) -> None:
    names = np.array([[b"a"], [b"b"], [b"c"]], dtype=object)
    rows = np.concatenate([ROW, ROW * 2, ROW * 3])
    out = remote.infer("scores", ["SUM", "LABEL"], FEATURES=rows, NAME=names)
    assert out["SUM"].tolist() == [[30.0], [60.0], [90.0]]
    assert out["LABEL"].tolist() == [[b"a!"], [b"b!"], [b"c!"]]


@pytest.mark.triton
def test_what_triton_itself_refuses(remote: ModuleType) -> None:
    error = raised(remote, lambda c: scores(c, ROW.astype(np.float32), errors=(Exception,)))
    assert type(error) is remote.InvalidInput
    assert "data-type is 'FP32', but model 'scores' expects 'FP64'" in str(error)
    error = raised(remote, lambda c: scores(c, ROW[None], errors=(KeyError, ValueError)))
    assert type(error) is ValueError and "unexpected shape for input 'FEATURES'" in str(error)
    error = raised(remote, lambda c: c.infer("absent", ["Y"], X=ROW))
    assert type(error) is remote.Unavailable


@pytest.mark.triton
def test_waiting_requests_are_one_execution_and_a_bad_row_fails_alone(remote: ModuleType, triton: Any) -> None:
    def ask(number: int) -> str:
        bad = number % 10 == 9
        try:
            out = scores(
                remote, np.array([[number + 0.5, 1.0, 1.0, 13.0 if bad else 1.0]]), str(number), ("SUM", "LABEL"), errors=(BadRow,)
            )
        except BadRow as error:
            return str(error)
        return f"{out['SUM'][0, 0]:g} {out['LABEL'][0, 0].decode()}"

    before = next(row for row in triton.statistics() if row.name == "scores")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(200)))
    after = next(row for row in triton.statistics() if row.name == "scores")
    assert answers == ["thirteen" if number % 10 == 9 else f"{number + 9.5:g} {number}!" for number in range(200)]
    assert after.inference_count - before.inference_count == 200
    assert after.execution_count - before.execution_count < 200


@pytest.mark.triton
def test_requests_of_several_texts(remote: ModuleType, local: ModuleType) -> None:
    def ask(client: ModuleType, texts: list[str]) -> tuple[Any, int]:
        out = client.infer("texts", ["COUNTS", "ROWS"], TEXTS=client.pack_json(texts))
        return client.unpack_json(out["COUNTS"]), client.unpack_scalar(out["ROWS"])

    asked = [[f"a{number}", "b" * (number % 7 + 1)][: number % 2 + 1] * (number % 5 + 1) for number in range(150)]
    asked[40] = ["+a", "b"]  # the model joins rows: stacked with others it may cost time, never give them its answer
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda texts: ask(remote, texts), asked))
    assert [answer for answer, _ in answers] == [ask(local, texts)[0] for texts in asked]
    assert answers[40][0] == [["+a", "b"], [3]]
    assert max(rows for _, rows in answers) <= 16
    assert any(rows > len(texts) for (_, rows), texts in zip(answers, asked, strict=True))


@pytest.mark.triton
def test_connections_that_the_server_dropped_are_replaced(app: Path, triton: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for(app, triton.url, monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: scores(client), range(20)))
    idle = client._transport().idle
    assert 0 < len(idle) <= 4
    for connection in idle:
        connection.sock.shutdown(socket.SHUT_RDWR)
    assert scores(client)["SUM"].tolist() == [[30.0]]
    assert len(idle) == 1


FORKING = """
import os, sys
sys.path.insert(0, {app!r})
import numpy as np
from triton_serving import client as triton

def ask(k):
    out = triton.infer("scores", ["SUM"], FEATURES=np.full((1, 4), k + 0.5), NAME=triton.pack("x", "STRING"))
    return out["SUM"].tolist() == [[10.0 * k + 5]]

assert ask(1)
children = []
for k in range(2, 6):
    child = os.fork()
    if not child:
        os._exit(0 if all(ask(k + i) for i in range(20)) else 1)
    children.append(child)
assert all(ask(k) for k in range(20))
for child in children:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.triton
@pytest.mark.parametrize("transport", ["http", "grpc", "local"])
def test_forked_workers_have_connections_of_their_own(app: Path, triton: Any, transport: str) -> None:
    url = {"http": triton.url, "grpc": f"grpc://{triton.grpc_url}", "local": "local"}[transport]
    script = FORKING.format(app=str(app))
    subprocess.run([sys.executable, "-c", script], cwd=app, env={"TRITON_URL": url, "PATH": ""}, check=True, timeout=240)
