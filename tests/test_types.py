"""What is known of a value's type where it would be sent, and that nothing is claimed of it which NumPy would not do."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from triton_migrate.index import ir
from triton_migrate.plan.values.answers import Answers
from triton_migrate.plan.values.types import Types
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.scopes import Frame
from triton_migrate.study import Study, study

# One function per case: the type of `x` at its end, as `said` writes it.
CASES = {
    "x = np.array([[1.0, 2.0]])": "array:float64/2*",
    "x = np.array([1, 2.5])": "array:float64/1",
    "x = np.array([1, 2])": "array:int64/1",
    "x = np.array([a, b])": "array/0",
    "x = np.array([a], dtype=np.float32)": "array:float32/0*",
    "x = np.array([[float(a), float(b)]], dtype='float32').astype(np.float64)": "array:float64/2*",
    "x = np.array([float(v) for v in a]).reshape(1, -1)": "array:float64/2*",
    "x = np.expand_dims(np.zeros((28, 28)), axis=0)": "array:float64/3*",
    "x = np.zeros((28, 28), np.uint8)[None, :, :, None]": "array:uint8/4*",
    "x = np.frombuffer(a, dtype=np.uint8)": "array:uint8/1",
    "x = np.zeros((2, 3), np.uint8) / 255": "array:float64/2",
    "x = np.zeros((2, 3), np.float32) / 255": "array:float32/2",
    "x = np.zeros((2, 3), np.float32) - np.zeros((1, 3), np.uint8)": "array:float32/2",
    "x = np.zeros((2, 3), np.float32) * np.zeros((2, 3))": "array:float64/2",
    "x = (np.zeros((2, 3), np.float32) - np.array([0.1, 0.2, 0.3], dtype=np.float32)) / np.array([0.2], np.float32)": "array:float32/2",
    "x = np.empty(len('abc'), dtype=np.float32)": "array:float32/1",
    "x = np.log1p(np.abs(np.zeros(3, np.float32))) * np.sign(np.zeros(3, np.float32))": "array:float32/1",
    "x = np.nan_to_num(np.square(np.zeros((2, 3), np.uint8)))": "array:uint8/2",
    "x = np.zeros((2, 3), np.float32) - np.array([0.1, 0.2, 0.3], np.float32)": "array:float32/2",
    "x = (np.zeros((2, 3), np.float32) - [0.1, 0.2, 0.3]) / 2": "array:float64/2",
    "x = np.zeros((1, 3), np.float32)[0]": "array:float32/1",
    "x = np.zeros((1, 3), np.float32)[0][1]": "number:float32",
    "x = np.zeros((1, 3), np.float32)[0, 1].item()": "float",
    "x = np.zeros((1, 3), np.float32)[0].tolist()": "list[float]",
    "x = np.argmax(np.zeros((1, 3)))": "number:int64",
    "x = np.argmax(np.zeros((1, 3)), axis=1)": "array:int64/1",
    "x = np.mean(np.zeros((1, 3), np.uint8), axis=0)": "array:float64/1",
    "x = np.max(np.zeros((1, 3), np.float32))": "number:float32",
    "x = np.stack([np.zeros(3), np.ones(3)])": "array:float64/2",
    "x = np.concatenate([np.zeros((1, 3)), np.ones((1, 3))])": "array:float64/2",
    "x = Image.open(a)": "image",
    "x = Image.open(a).convert('RGB').resize((8, 8))": "image:uint8/3",
    "x = np.asarray(Image.open(a).convert('L'))": "array:uint8/2",
    "x = np.asarray(Image.open(a))": "array/0",
    "x = [Image.open(v).convert('RGB') for v in a]": "list[image:uint8/3]",
    (
        "x = Image.open(a)\n    if x.mode != 'RGB':\n        x = x.convert('RGB')\n    x = np.array(x.resize((8, 8)), dtype=np.float32)"
    ): "array:float32/0",
    "x = cv2.imdecode(np.frombuffer(a, np.uint8), cv2.IMREAD_COLOR)": "array:uint8/3",
    "x = cv2.cvtColor(cv2.imdecode(a, cv2.IMREAD_COLOR), cv2.COLOR_BGR2GRAY)": "array:uint8/2",
    "x = cv2.dnn.blobFromImage(a)": "array:float32/4",
    "x = img_to_array(a)\n    x = np.expand_dims(x, axis=0)\n    x = preprocess_input(x)": "array:float32/4*",
    "x = torch.from_numpy(np.zeros((3, 8, 8), np.float32)).unsqueeze(0).numpy()": "array:float32/4*",
    "x = torch.zeros(1, 3).to('cuda').half().cpu().numpy()": "array:float16/2*",
    "p, x = torch.max(torch.zeros(2, 3), 1)": "tensor:int64/1",
    "p, i = torch.max(torch.zeros(2, 3), 1)\n    x = i[0].item()": "int",
    "x = torch.softmax(a, dim=1).max().item()": "float",
    "x = len(a)\n    x /= 2": "plain",
    "x = 0.5\n    x += 1": "float",
    "x = 1 if a else 2.5": "plain",
    "x = None\n    if a:\n        x = 'text'": "plain",
    "x = []\n    for v in a:\n        x.append(float(v))": "list[float]",
    "x = []\n    x.append(1)\n    x.append('two')": "list[int,str]",
    "x = [i for i, v in enumerate(a)]": "list[int]",
    "x = list(map(float, a))": "list[float]",
    "x = next(made(a))": "record[str]",
    "x = next(made(a), None)": "unknown[record[str]]",
    "x = Made('a') if a else None": "unknown[record[str]]",
    "x = perhaps(a)": "unknown[record[str]]",
    "x = perhaps(a, b)[0] if b else 'text'": "unknown",
    "x = next(zip([1], 'a'))[0]": "int",
    "x = map(float, a)": "generator[float]",
    "x = [i for i, v in zip([1, 2], 'ab')]": "list[int]",
    "x = iter(a)": "generator[unknown]",
    "x = {'label': 'a', 'score': 0.5}": "dict[str,float]",
    "x = {'one': torch.zeros(2, 3), 'two': torch.zeros(4, 1)}['one']": "tensor:float32/2",
    "x = {'one': torch.zeros(3), 'two': 'text'}['one']": "unknown",
    "x = Doubler()(np.zeros((1, 3)))": "array:float64/2*",
    "x = stacked([np.zeros(3, np.float32), np.zeros(3, np.float32)])": "array:float32/2",
    "x = Net()(torch.zeros(1, 3))": "tensor/0",
    "x = Own()(torch.zeros(1, 3))": "tensor/0",
    "x = request.form['name']": "str",
    "x = request.form.get('name')": "unknown",
    "x = request.args.get('k', 3, type=int)": "int",
    "x = request.form.get('name', default='nobody')": "str",
    "x = request.args.get('k', 3, type=float)": "unknown",
    "x = request.args.get('k', type=int)": "unknown",
    "x = request.args.get('k', a, type=int)": "unknown",
    "x = request.get_json()['rows']": "data",
    "x = np.array(request.get_json()['rows'])": "array/0",
    "x = np.array(request.get_json()['rows'], dtype=float).reshape(-1, 4)": "array:float64/2",
    "x = 'text'\n    x = len(x)": "int",
    "x = round(len(a) / 3, 2)": "float",
    "x = sum([1, 2])": "int",
    "x = kept.get(a)": "record[str]",
    "x = kept.all()": "list[record[str]]",
    "x = kept.tags": "unknown",
    "x = kept.largest": "float",
    "x = io.BytesIO(a)": "buffer",
    "x = io.BytesIO(a).read(4)": "bytes",
    "x = io.TextIOWrapper(a)": "object",
    "x = zipfile.ZipFile(a)": "object",
    "x = tarfile.open(a)": "object",
    "x = wave.open(a)": "object",
    "x = ElementTree.fromstring(a)": "object",
    "x = re.search('a', b)": "object",
    "x = memoryview(a)": "object",
    "x = array.array('d', a)": "object",
    "x = Fraction(a)": "object",
    "x = Timestamp(a)": "object",
    "x = SimpleNamespace(a=a)": "object",
    "x = partial(made, a)": "object",
    "x = lambda v: a": "object",
    "x = np.random.default_rng(a)": "object",
    "x = requests.get(a)": "object",
    "x = requests.get(a).content": "unknown",
    "x = {'file': request.files['a'].stream}": "dict[file]",
    "x = csv.reader(a)": "generator[list]",
    "x = list(csv.DictReader(a))": "list[dict]",
    "x = next(csv.reader(a))": "list",
    "x = itertools.islice(a, 2)": "generator",
    "x = Decimal(a)": "data",
    "x = Counter(a)": "data",
    "x = Path(a)": "unknown",
}
HEAD = """
    import array
    import csv
    import io
    import itertools
    import re
    import tarfile
    import wave
    import zipfile
    from collections import Counter
    from collections.abc import Iterator
    from decimal import Decimal
    from fractions import Fraction
    from functools import partial
    from pathlib import Path
    from types import SimpleNamespace
    from typing import NamedTuple
    from xml.etree import ElementTree

    import cv2
    import numpy as np
    import requests
    import torch
    from flask import request
    from keras.applications.resnet50 import preprocess_input
    from keras.preprocessing.image import img_to_array
    from pandas import Timestamp
    from PIL import Image

    class Doubler:
        def __call__(self, rows):
            return rows * 2

    class Made(NamedTuple):
        name: str

    def made(names) -> Iterator[Made]:
        yield from map(Made, names)

    def perhaps(names, *others) -> Made | None:
        return load(names)

    class Kept:
        def __init__(self):
            self.made, self.tags = {}, None
            self.least, self.largest = 1, 2.5

        def fill(self, names):
            self.made = {name: Made(name) for name in names}
            self.tags = load(names)

        def get(self, name):
            return self.made[name]

        def all(self):
            return list(self.made.values())

    kept = Kept()

    def stacked(rows: list[np.ndarray]):
        return np.stack(rows)

    class Net(torch.nn.Module):
        def forward(self, rows):
            return rows

    class Own(Net):
        pass
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("types")
    functions = (f"\n\ndef f{number}(a, b):\n    {case}\n    return x\n" for number, case in enumerate(CASES))
    (root / "app.py").write_text(dedent(HEAD) + "".join(functions))
    return study(root)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=list(CASES))
def test_the_type_of_a_value(program: Study, number: int, case: str) -> None:
    assert said(typed_at_end(program, number)) == CASES[case]


def typed_at_end(program: Study, number: int) -> VType:
    module = program.evaluator.program.frames["app.py"]
    scope = next(s for s in module.scope.children.values() if s.name == f"f{number}")
    frame = program.evaluator.program.generic(scope)
    return Types(program.evaluator, {}).name("x", frame, at=scope.function.body[-1].at)


def test_what_is_open_or_lives_in_a_process_is_never_sent(program: Study) -> None:
    stuck = [case for number, case in enumerate(CASES) if typed_at_end(program, number).travels is False]
    assert {case for case, told in CASES.items() if told.startswith(("object", "generator", "tensor", "dict[file]"))} <= set(stuck)


def said(kind: VType) -> str:
    shape = f"/{kind.rank}{'*' if kind.one_row else ''}" if kind.rank or kind.kind in ("array", "tensor") else ""
    inner = f"[{','.join(map(said, kind.items))}]" if kind.items else ""
    return f"{kind.kind}{'' if kind.dtype == '?' else ':' + kind.dtype}{shape}{inner}"


class Counted(Types):
    """Counts the questions that are worked out."""

    count = 0

    def _of(self, expr: ir.Expr, frame: Frame) -> VType:
        self.count += 1
        return super()._of(expr, frame)


def test_what_leans_on_itself_is_worked_out_once(tmp_path: Path) -> None:
    source = """
        def f(rows, steps):
            for step in steps:
                rows = clean(rows)
            return rows

        def clean(rows):
            return rows / 255
    """
    (tmp_path / "app.py").write_text(dedent(source))
    evaluator = study(tmp_path).evaluator
    program = evaluator.program
    scope = next(s for s in program.frames["app.py"].scope.children.values() if s.name == "f")
    types, last = Counted(evaluator, {}), scope.function.body[-1]
    asked = [types.name("rows", program.generic(scope), last.at)]
    first = types.count
    asked += [types.name("rows", program.generic(scope), last.at) for _ in range(3)]
    assert first > 0
    assert types.count == first
    assert len(set(asked)) == 1


ALONE = [
    case for case in CASES if not re.search(r"\b(a|b|Image|cv2|torch|img_to_array|request|Doubler|stacked|made|perhaps|Made|kept)\b", case)
]


@pytest.mark.parametrize("case", ALONE)
def test_numpy_and_python_make_that(case: str) -> None:
    names: dict[str, Any] = {"np": np}
    exec(dedent(f"if True:\n    {case}"), names)
    x, claimed = names["x"], CASES[case]
    if claimed.startswith(("array", "number")):
        kind, dtype, rank, whole = re.fullmatch(r"(\w+):(\w+)(?:/(\d))?(\*?)", claimed).groups()  # type: ignore[union-attr]
        assert (x.dtype.name, x.ndim) == (dtype, int(rank or 0))
        assert isinstance(x, np.ndarray if kind == "array" else np.generic)
        assert not whole or len(x) == 1
    else:
        assert type(x).__name__ == claimed.partition("[")[0]


def test_what_is_known_for_one_caller_is_not_said_for_another(tmp_path: Path) -> None:
    """Pipelines share what does not rest on who called, and what does where the same call did."""
    text = "import numpy as np\n\n\ndef own(x):\n    fixed = np.zeros(3)\n    given = x\n    return given, fixed\n"
    (tmp_path / "app.py").write_text(text + "\n\ndef one():\n    return own('text')\n\n\ndef two():\n    return own(np.zeros((2, 3)))\n")
    found = study(tmp_path)
    program = found.evaluator.program
    scopes = {scope.name: scope for scope in program.frames["app.py"].scope.children.values()}
    entered = {place.scope.name: (place.call, program.generic(place.scope)) for place in program.calls("own")}
    own, answers = program.generic(scopes["own"]), Answers(found.evaluator)

    def types(caller: str) -> list[str]:
        asked = Counted(found.evaluator, {scopes["own"]: entered[caller]}, answers=answers)
        names = [said(asked.name(name, own, done=scopes["own"].function.body[-1].at)) for name in ("given", "fixed")]
        return [*names, str(asked.count)]

    assert types("one")[:2] == ["str", "array:float64/1"]
    assert types("two")[:2] == ["array:float64/2", "array:float64/1"]
    assert types("one") == ["str", "array:float64/1", "0"]
