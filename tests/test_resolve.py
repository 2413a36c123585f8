"""What a name may be: tiny programs in, abstract values out."""

from __future__ import annotations

import hashlib
from functools import partial

import pytest

from triton_migrate.base import SourceFile, nest_deeply
from triton_migrate.index import ir
from triton_migrate.index.lower import lower
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.memo import Memo
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.load import load_rulebook

RULES = load_rulebook()


def program(**files: str) -> Evaluator:
    """An evaluator over `name=text` files; `pkg__mod` is pkg/mod.py, as is "pkg/mod"."""
    facts = []
    for name, text in files.items():
        lowered = lower(
            SourceFile((name if "/" in name else name.replace("__", "/")) + ".py", text, hashlib.sha256(text.encode()).hexdigest())
        )
        assert isinstance(lowered, ir.ModuleFacts)
        facts.append(lowered)
    return Evaluator(Program(tuple(facts)), RULES)


def paths(text: str, **others: str) -> set[str]:
    """The library objects that `x` may be at the end of app.py."""
    evaluator = program(app=text, **others)
    return {v.path for v in evaluator.name("x", evaluator.program.frames["app.py"]) if isinstance(v, Api)}


ONNX = {"onnxruntime.InferenceSession()"}


@pytest.mark.parametrize(
    "text",
    [
        "d = {}\nd['a'] = ort.InferenceSession('a')\nx = d['a']",
        "d = {}\nd['a'] = ort.InferenceSession('a')\nx = d.get(key)",
        "d = {k: ort.InferenceSession(k) for k in 'ab'}\nx = d[key]",
        "d = {'a': ort.InferenceSession('a')}\nfor k, x in d.items():\n    pass",
        "l = []\nl.append(ort.InferenceSession('a'))\nx = l[0]",
        "l = [ort.InferenceSession('a')]\nfor i, x in enumerate(l):\n    pass",
        "class A:\n    def __init__(self): self.m = ort.InferenceSession('a')\nx = A().m",
        "class A:\n    def __init__(self, p): self.m = p\n"
        "class B(A):\n    def __init__(self): super().__init__(ort.InferenceSession('a'))\nx = B().m",
        "class A:\n    @classmethod\n    def load(cls): cls.m = ort.InferenceSession('a')\nx = A.m",
        "class A: pass\nA.m = ort.InferenceSession('a')\nx = A().m",
        "class A:\n    @property\n    def m(self): return ort.InferenceSession('a')\nx = A().m",
        "class A:\n    name: str\n    m: object = None\nx = A('a', ort.InferenceSession('a')).m",
        "class A:\n    name: str\nclass B(A):\n    m: object\ndef f(m): return B(name='b', m=m)\nx = f(ort.InferenceSession('a')).m",
        "import importlib\nx = getattr(importlib.import_module('onnxruntime'), 'InferenceSession')('a')",
        "from collections import defaultdict\ndef f(): return ort.InferenceSession('a')\nd = defaultdict(f)\nx = d[key]",
        "from collections import defaultdict\nd = defaultdict(dict)\nd[key]['a'] = ort.InferenceSession('a')\nx = d[other]['a']",
        "l = []\nl.append(ort.InferenceSession('a'))\nx = l.copy()[0]",
        "def f():\n    return 1, ort.InferenceSession('a')\n_, x = f()",
        "def f(m=ort.InferenceSession('a')): return m\nx = f()",
        "def f():\n    global x\n    x = ort.InferenceSession('a')\nx = None",
        "globals()['x'] = ort.InferenceSession('a')",
        "import asyncio\nasync def f(): return ort.InferenceSession('a')\n"
        "x = asyncio.get_event_loop().run_until_complete(asyncio.gather(*[f()]))[0]",
    ],
)
def test_a_session_is_found_wherever_it_hides(text: str) -> None:
    assert paths("import onnxruntime as ort\n" + text) >= ONNX


@pytest.mark.parametrize(
    "made",
    [
        "from dataclasses import dataclass\n@dataclass\nclass S:\n    kind: str = 'a'\ns = S(kind=os.getenv('KIND', 'a'))",
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    kind: str = 'a'\ns = S()",
    ],
    ids=["given", "library"],
)
def test_what_the_environment_chooses_may_be_any(made: str) -> None:
    text = f"import os\nimport onnxruntime as ort\n{made}\nd = {{'a': ort.InferenceSession('a'), 'b': print}}\n"
    assert paths(text + "x = d[s.kind]") == ONNX | {"builtins.print"}
    assert paths(text.replace("os.getenv('KIND', 'a')", "'a'").replace("(BaseSettings)", "") + "x = d[s.kind]") == ONNX


def test_global_in_the_module_itself_says_nothing() -> None:
    text = "import onnxruntime as ort\nglobal x\nx = ort.InferenceSession('a')"
    assert paths(text) == ONNX
    assert program(app=text).program.global_bindings("app.py", "x") == ()


def test_a_package_goes_before_a_module_of_its_name() -> None:
    files = {
        "m": "from m import y",
        "m/__init__": "import onnxruntime\ny = onnxruntime.InferenceSession('a')",
        "m/n": "from m.__init__ import y",
    }
    assert paths("from m import y as x", **files) == ONNX
    assert paths("from m.n import y as x", **files) == ONNX


def test_an_empty_package_beside_the_importer_hides_no_module_further_up() -> None:
    files = {
        "utils": "import onnxruntime\ny = onnxruntime.InferenceSession('a')",
        "app/first": "from utils import y\nfrom utils.own import z",
        "app/utils/__init__": "",
        "app/utils/own": "import joblib\nz = joblib.load('a')",
    }
    assert paths("from app.first import y as x", **files) == ONNX
    assert paths("from app.first import z as x", **files) == {"sklearn.base.BaseEstimator()"}
    assert paths("from app.first import y as x", **files | {"app/utils/__init__": "y = print"}) == {"builtins.print"}


def test_star_imports_prefer_the_program_and_leave_builtins_alone() -> None:
    assert paths("from fastai.vision import *\nx = print") == {"builtins.print"}
    assert paths("from m import *\nx = y", m="import onnxruntime\ny = onnxruntime.InferenceSession('a')") == ONNX


def test_what_a_call_hands_on_is_the_network_itself() -> None:
    evaluator = program(app="import torch\nnet = torch.jit.load('a')\nx = torch.compile(net)")
    frame = evaluator.program.frames["app.py"]
    assert evaluator.name("x", frame) == evaluator.name("net", frame) != frozenset()


def test_functions_that_call_each_other_come_to_an_end() -> None:
    text = "import onnxruntime\n" + "".join(
        f"def f{i}(a): return {' or '.join(f'f{j}(a)' for j in range(8))} or onnxruntime.InferenceSession(a)\n" for i in range(8)
    )
    assert paths(text + "x = f0('a')") >= ONNX


def test_modules_imported_by_the_rows_of_a_table() -> None:
    text = """
import importlib

TABLE = (("fast", "onnx_model", "Fast"), ("slow", "torch_model", "Slow"))
MADE = {}
for kind, path, name in TABLE:
    MADE[kind] = getattr(importlib.import_module(path), name)
x = MADE["fast"]().model
"""
    fast = "import onnxruntime\nclass Fast:\n    def __init__(self):\n        self.model = onnxruntime.InferenceSession('a')\n"
    slow = "import torch\nclass Slow:\n    def __init__(self):\n        self.model = torch.jit.load('b')\n"
    assert paths(text, onnx_model=fast, torch_model=slow) >= ONNX


@pytest.mark.parametrize(
    "text",
    [
        "m = importlib.import_module(os.getenv('ENGINE', 'engines.fast'))",
        "m = __import__(os.environ.get('ENGINE', 'fast'))",
        "name = os.environ.get('ENGINE', 'fast')\nm = importlib.import_module(f'engines.{name}')",
        "name = os.getenv('ENGINE') or 'engines.fast'\nm = importlib.import_module(name)",
        "name = os.environ['ENGINE'] if 'ENGINE' in os.environ else 'engines.fast'\nm = importlib.import_module(name)",
        "class S(BaseSettings):\n    engine: str = 'engines.fast'\ns = S()\nm = importlib.import_module(s.engine)",
        "class C:\n    ENGINE = os.getenv('ENGINE', 'engines.fast')\nm = importlib.import_module(C.ENGINE)",
        "p = argparse.ArgumentParser()\np.add_argument('-e', '--the-engine', default='engines.fast')\n"
        "m = importlib.import_module(p.parse_args().the_engine)",
        "import fast\nm = fast\nclass Fast:\n    model = getattr(m, os.getenv('KIND', 'Fast'))().model\nm.Fast = Fast",
    ],
)
def test_modules_named_by_settings_are_the_default_ones(text: str) -> None:
    fast = "import onnxruntime\nclass Fast:\n    def __init__(self):\n        self.model = onnxruntime.InferenceSession('a')\n"
    head = "import argparse, importlib, os\nfrom pydantic_settings import BaseSettings\n"
    engines = {"engines/__init__": "", "engines/fast": fast, "fast": fast}
    assert paths(f"{head}{text}\nx = m.Fast().model", **engines) >= ONNX


@pytest.mark.parametrize(
    "split",
    [
        "module, name = dotted.rsplit('.', 1)",
        "module, _, name = dotted.rpartition('.')",
        "module = dotted.rsplit('.', 1)[0]\n    name = dotted.split('.')[-1]",
    ],
)
@pytest.mark.parametrize("given", ["'fast.Fast'", "os.getenv('ENGINE', 'fast.Fast')"])
def test_classes_named_by_one_dotted_text(split: str, given: str) -> None:
    fast = "import onnxruntime\nclass Fast:\n    def __init__(self):\n        self.model = onnxruntime.InferenceSession('a')\n"
    text = f"import importlib, os\ndef load(dotted):\n    {split}\n    return getattr(importlib.import_module(module), name)\n"
    assert paths(f"{text}x = load({given})().model", fast=fast) >= ONNX


@pytest.mark.parametrize(
    "name",
    ["os.getenv('ENGINE')", "os.environ['ENGINE']", "'fast' if unknown else asked()", "'a.fast'.rsplit('', 1)[1]", "'fast'.split('.')[3]"],
)
def test_a_module_of_a_name_that_nothing_says_is_none_of_the_programs(name: str) -> None:
    fast = "import onnxruntime\nmodel = onnxruntime.InferenceSession('a')\n"
    assert not paths(f"import importlib, os\nx = importlib.import_module({name}).model", fast=fast) & ONNX


def test_a_long_chain_of_names_is_followed_to_its_end() -> None:
    nest_deeply()
    links = "".join(f"class Link{i}:\n    m = Link{i - 1}.m\n" for i in range(1, 150))
    assert paths(f"import onnxruntime as ort\nclass Link0:\n    m = ort.InferenceSession('a')\n{links}x = Link149.m\n") == ONNX


def test_only_what_rests_on_a_change_is_asked_again() -> None:
    memo, said, asked = Memo(), {"store": "nothing"}, list[str]()

    def answer(question: str) -> str:
        asked.append(question)
        if question == "target":
            memo.rests("store")
            return said["store"]
        return memo.ask("target", lambda: answer("target"), "") if question in ("name", "user") else "fixed"

    def ask(*questions: str) -> list[str]:
        return [memo.ask(question, partial(answer, question), "") for question in questions]

    assert ask("name", "other", "user") == ["nothing", "fixed", "nothing"]
    asked.clear()
    said["store"] = "model"
    memo.forget(["store", "another store"])
    assert ask("name", "other", "user") == ["model", "fixed", "model"]
    assert asked == ["name", "target", "user"]
    memo.settle()
    memo.forget(["store"])  # nothing is known any more of what rests on what
    assert ask("other") == ["fixed"]
    assert asked[-1] == "other"


@pytest.mark.parametrize("way", ["state.box.net", "getattr(state, 'box').net"])
def test_what_a_store_leads_to_is_known_though_it_was_asked_before_the_store_was(way: str) -> None:
    box = "class Box:\n    net = None\nclass State:\n    pass\nstate = State()\n"
    use = f"import onnxruntime\nfrom held import *\nx = {way}\n{way.removesuffix('.net')}.net = onnxruntime.InferenceSession('a')\n"
    fill = "from held import *\nstate.box = Box()\n"
    assert paths(use, held=box, zz=fill) >= ONNX
