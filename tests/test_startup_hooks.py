"""What a start-up hook does to make models: each global by itself, with what it imports on the way and what it fetches before."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from triton_migrate import api

PARTS = Path(__file__).parent / "ports/fastapi_lifespan_parts"
ASKED = """\
import sys
sys.path.insert(0, "triton_serving/model_repository/named/1")
import pipeline
pipeline.load()
print(pipeline.labels.encoder.classes_.tolist(), type(pipeline.scaler).__name__, type(pipeline.model).__name__)
"""


def test_the_model_fetches_for_itself_what_the_application_fetches(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    assert api.apply(app, write=True)["not_ported"] == []
    subprocess.run([sys.executable, PARTS / "make_models.py"], cwd=app, check=True)
    assert not (app / "fetched.joblib").exists()
    found = subprocess.run([sys.executable, "-c", ASKED], cwd=app, check=True, capture_output=True, text=True).stdout
    assert found == "['setosa_a', 'versicolor_b', 'virginica_c'] StandardScaler LogisticRegression\n"


def test_modules_that_a_hook_imports_are_copied(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    api.apply(app, write=True)
    text = (app / "triton_serving/model_repository/named/1/pipeline.py").read_text()
    assert "from naming import" not in text and "from fetching import" not in text
    assert "        Names = Labels\n" in text


def test_a_choice_between_modules_stays(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    main = app / "main.py"
    main.write_text(
        main.read_text().replace('except Exception as e:\n        logger.error(f"no labels: {e}")', "except ImportError:\n        pass")
    )
    report = api.apply(app, write=True)
    reasons = {(e["line"], e["reason"]) for e in report["not_ported"]}
    assert reasons == {(33, "an import of naming inside a function")}


IDLE = Path(__file__).parent / "ports/flask_idle_unload"
COUNTED = """\
import sys, threading
sys.path.insert(0, "triton_serving/model_repository/model/1")
import pipeline
pipeline.load()
print([t.name for t in threading.enumerate()], pipeline.engine.model is not None)
"""


def test_a_thread_that_only_unloads_stays_behind(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(IDLE / "app", app)
    report = api.apply(app, write=True)
    assert report["not_ported"] == [] and "Triton keeps it loaded" in (app / "triton_serving/README.md").read_text()
    subprocess.run([sys.executable, IDLE / "make_models.py"], cwd=app, check=True)
    found = subprocess.run([sys.executable, "-c", COUNTED], cwd=app, check=True, capture_output=True, text=True).stdout
    assert found == "['MainThread'] True\n"


def test_a_thread_that_loads_anew_is_not_taken_for_one_that_unloads(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(IDLE / "app", app)
    engine = app / "engine.py"
    engine.write_text(engine.read_text().replace("        self.model = None\n", '        self.model = joblib.load("model.joblib")\n'))
    api.apply(app, write=True)
    assert not list(app.glob("triton_serving/**/pipeline.py")) or "Thread(" in next(app.glob("triton_serving/**/pipeline.py")).read_text()


SERVICE = """\
import joblib


class Service:
    limit = 3

    def __init__(self, path):
        self.path, self.models = path, {}
        self.model = None

    def load(self):
        self._read()
        return True

    def _read(self):
        self.model = joblib.load(self.path)

    def load_as(self, key):
        self.models[key] = joblib.load(key)

    async def wake(self):
        self.model = joblib.load(self.path)

    def predict(self, rows):
        return self.model.predict(rows[: self.limit]).tolist()

    def predict_as(self, rows):
        return self.models["a"].predict(rows).tolist()
"""
MAIN = """\
import asyncio
import os
import threading
from contextlib import asynccontextmanager

import joblib
from fastapi import FastAPI, Request

from service import Service

KEPT = {{}}


@asynccontextmanager
async def lifespan(app: FastAPI):
{before}    yield
    KEPT.clear()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(rows: list[list[float]], request: Request):
    return {held}.{asked}(rows)
"""
STATE, KEPT = "app.state.service", 'KEPT["service"]'
FIRST, DONE = 'app.state.service = Service("m.joblib")', ["service.load()"]


@pytest.mark.parametrize(
    ("before", "done"),
    [
        ([FIRST, f"{STATE}.load()"], DONE),
        ([FIRST, f"await asyncio.to_thread({STATE}.load)"], DONE),
        ([FIRST, f"await asyncio.get_running_loop().run_in_executor(None, {STATE}.load)"], DONE),
        ([FIRST, f"threading.Thread(target={STATE}.load).start()"], DONE),
        ([FIRST, f"for each in ({STATE},):", "    each.load()"], DONE),
        ([FIRST, f"if not {STATE}.load():", "    raise RuntimeError"], DONE),
        ([FIRST, "try:", f"    {STATE}.load()", "except OSError:", "    print('none')"], ["try:", "    service.load()"]),
        ([FIRST, f"await {STATE}.wake()"], ["asyncio.run(service.wake())"]),
        ([FIRST, f"asyncio.create_task({STATE}.wake())"], ["asyncio.run(service.wake())"]),
        (["service = Service('m.joblib')", f"{STATE} = service", "service.load()"], DONE),
        ([f'{KEPT} = Service("m.joblib")', f"{KEPT}.load()"], DONE),
        ([FIRST, f"{STATE}.load()", f"{STATE}.limit = 4"], [*DONE, "service.limit = 4"]),
        ([FIRST, f'{STATE}.model = joblib.load("other.joblib")'], ['service.model = joblib.load("other.joblib")']),
        ([FIRST, f"{STATE}.load()", f"{STATE}.model.set_params(n_jobs=1)"], [*DONE, "service.model.set_params(n_jobs=1)"]),
        (
            [FIRST, 'if os.environ.get("BIG"):', f'    {STATE}.path = "big.joblib"', f"{STATE}.load()"],
            ['if os.environ.get("BIG"):', '    service.path = "big.joblib"', *DONE],
        ),
    ],
)
def test_what_a_hook_does_to_an_object_load_does_too(tmp_path: Path, before: list[str], done: list[str]) -> None:
    held = 'KEPT["service"]' if before[0].startswith("KEPT") else "request.app.state.service"
    lines = _load_of(tmp_path, before, held, "predict")
    assert "\n".join(done) in "\n".join(lines)
    assert sum(".load()" in line or ".wake()" in line for line in lines) == sum(".load()" in line or ".wake()" in line for line in done)


def test_an_object_that_loads_into_a_container_of_its_own_does_so_in_load(tmp_path: Path) -> None:
    assert _load_of(tmp_path, [FIRST, f'{STATE}.load_as("a")'], "request.app.state.service", "predict_as")[-1] == 'service.load_as("a")'


def test_a_model_that_the_hook_closes_again_stays(tmp_path: Path) -> None:
    _app(tmp_path, ["with Service('m.joblib') as service:", f"    {STATE} = service", "    yield", "return"], "request.app.state.service")
    (refusal,) = api.apply(tmp_path)["not_ported"]
    assert refusal["reason"] == "lifespan closes again what it makes the model of, when the application ends"


TWO = """\
from fastapi import FastAPI, Request

from service import Service

app = FastAPI()
{made}


@app.post("/left")
def left(rows: list[list[float]], request: Request):
    return {left}.predict(rows)


@app.post("/right")
def right(rows: list[list[float]], request: Request):
    return {right}.predict(rows)
"""


def test_objects_of_one_class_are_not_taken_for_each_other(tmp_path: Path) -> None:
    _two(tmp_path, "app.state.left", "app.state.right")
    reasons = {e["reason"] for e in api.apply(tmp_path)["not_ported"]}
    assert reasons == {"self is one of several objects, chosen while a request is answered"}


def test_globals_of_one_class_are_models_of_their_own(tmp_path: Path) -> None:
    _two(tmp_path, "first", "second")
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    texts = [p.read_text() for p in (tmp_path / "triton_serving/model_repository").glob("*/1/pipeline.py")]
    assert sorted(re.findall(r'Service\("(\w+)', "".join(texts))) == ["left", "right"]


def _two(folder: Path, left: str, right: str) -> None:
    made = f'{left} = Service("left.joblib")\n{left}.load()\n{right} = Service("right.joblib")\n{right}.load()\n'
    (folder / "service.py").write_text(SERVICE)
    (folder / "main.py").write_text(TWO.format(made=made, left=left, right=right))


def _app(folder: Path, before: list[str], held: str, asked: str = "predict") -> None:
    (folder / "service.py").write_text(SERVICE)
    (folder / "main.py").write_text(MAIN.format(before="".join(f"    {line}\n" for line in before), held=held, asked=asked))


def _load_of(folder: Path, before: list[str], held: str, asked: str) -> list[str]:
    """The statements of load(), of the only model."""
    _app(folder, before, held, asked)
    api.apply(folder, write=True)
    (pipeline,) = (folder / "triton_serving/model_repository").glob("*/1/pipeline.py")
    body = pipeline.read_text().partition("def load():\n")[2].partition("\n\n\n")[0]
    return [line.removeprefix("    ") for line in body.splitlines()]


SHARED = """\
import joblib


class Service:
    def __init__(self):
        self.model = joblib.load("m.joblib")
        self.columns = None

    def keep(self, columns):
        self.columns = columns

    def predict(self, rows):
        return self.model.predict([[row[i] for i in self.columns] for row in rows]).tolist()


service = Service()
"""


@pytest.mark.parametrize(
    "setup",
    [
        "app = FastAPI(lifespan=hook)",
        "app = FastAPI()\n\n\n@app.on_event('startup')\ndef start():\n    DONE",
        "def create():\n    DONE\n    return FastAPI()\n\n\napp = create()",
        "DONE\napp = FastAPI()",
    ],
)
@pytest.mark.parametrize("done", ["service.keep([0, 2])", "service.model.set_params(n_jobs=1)"])
def test_what_happens_to_an_object_of_another_module_before_the_first_request(tmp_path: Path, setup: str, done: str) -> None:
    hook = "@asynccontextmanager\nasync def hook(app):\n    DONE\n    yield\n    service.columns = None\n\n\n" if "hook" in setup else ""
    text = f"from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\nfrom service import service\n\n\n{hook}{setup}\n\n\n"
    text += '@app.post("/predict")\ndef predict(rows: list[list[float]]):\n    return service.predict(rows)\n'
    (tmp_path / "service.py").write_text(SHARED)
    (tmp_path / "main.py").write_text(text.replace("DONE", done) + f'\n\nif __name__ == "__main__":\n    {done}\n')
    api.apply(tmp_path, write=True)
    (pipeline,) = (tmp_path / "triton_serving/model_repository").glob("*/1/pipeline.py")
    assert pipeline.read_text().count(done) == 1


CLASS = """\
from contextlib import asynccontextmanager

import joblib
from fastapi import FastAPI


class Engine:
    model = None

    @classmethod
    def load(cls, path="m.joblib"):
        cls.model = joblib.load(path)

    @staticmethod
    def read():
        Engine.model = joblib.load("m.joblib")

    @classmethod
    def predict(cls, rows):
        return cls.model.predict(rows).tolist()


@asynccontextmanager
async def lifespan(app):
    DONE
    yield
    Engine.model = None


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(rows: list[list[float]]):
    return Engine.predict(rows)
"""


@pytest.mark.parametrize("done", ["Engine.load()", 'Engine.load("n.joblib")', "Engine.read()", 'Engine.model = joblib.load("n.joblib")'])
def test_a_class_that_a_hook_fills(tmp_path: Path, done: str) -> None:
    (tmp_path / "main.py").write_text(CLASS.replace("DONE", done))
    api.apply(tmp_path, write=True)
    (pipeline,) = (tmp_path / "triton_serving/model_repository").glob("*/1/pipeline.py")
    assert pipeline.read_text().partition("def load():\n")[2].partition("\n\n\n")[0].strip() == done


WAITING = """\
import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor

import joblib
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

app = FastAPI()
models = {{}}


def made(path):
    return joblib.load(path)


async def read():
    return joblib.load("iris.joblib")


@app.on_event("startup")
async def start():
    path = "iris.joblib"
{load}


@app.post("/named")
def named(row: list[float]):
    return {held}.predict([row]).tolist()
"""
LOADED = """\
import sys, glob
(folder,) = glob.glob("triton_serving/model_repository/*/1")
sys.path.insert(0, folder)
import pipeline
pipeline.load()
print(type({held}).__name__)
"""


@pytest.mark.parametrize(
    "load",
    [
        "    {} = await asyncio.to_thread(joblib.load, path)",
        "    {} = await asyncio.to_thread(lambda: joblib.load(path))",
        "    {} = await run_in_threadpool(made, path=path)",
        "    loop = asyncio.get_running_loop()\n    {} = await loop.run_in_executor(None, joblib.load, path)",
        "    {} = await asyncio.get_event_loop().run_in_executor(ThreadPoolExecutor(), functools.partial(made, path))",
    ],
)
@pytest.mark.parametrize(("held", "there"), [("app.state.iris", "pipeline.iris"), ('models["iris"]', 'pipeline.models["iris"]')])
def test_a_load_in_a_thread_that_the_hook_waits_for_is_a_plain_load(load: str, held: str, there: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(WAITING.format(load=load.format(held), held=held))
    report = api.apply(tmp_path, write=True)
    assert report["not_ported"] == [] and [m["loader"] for m in report["models"]] == ["load"]
    _run_load(tmp_path, there)


def test_a_coroutine_of_the_application_that_loads_is_run(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(WAITING.format(load="    app.state.iris = await read()", held="app.state.iris"))
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    _run_load(tmp_path, "pipeline.iris")


@pytest.mark.parametrize(
    "load",
    [
        "    app.state.iris, _ = await asyncio.gather(asyncio.to_thread(joblib.load, path), read())",
        "    path = await asked()\n    app.state.iris = joblib.load(path)",
    ],
)
def test_what_else_a_hook_waits_for_is_refused(load: str, tmp_path: Path) -> None:
    text = WAITING.format(load=load, held="app.state.iris").replace("import functools", "import functools\nfrom away import asked")
    (tmp_path / "main.py").write_text(text)
    (tmp_path / "away.py").write_text("async def asked():\n    return 'iris.joblib'\n")
    (refused,) = api.apply(tmp_path, write=True)["not_ported"]
    assert (refused["reason"], refused["line"]) == ("the model is made of something that is waited for", 25)


def test_a_load_in_a_thread_whose_result_the_hook_yields_is_a_plain_load(tmp_path: Path) -> None:
    text = WAITING.format(load="    yield {'iris': await asyncio.to_thread(joblib.load, path)}", held="request.state.iris")
    text = (
        text.replace("app = FastAPI()\n", "")
        .replace('@app.on_event("startup")', "@asynccontextmanager")
        .replace("async def start()", "async def start(app)")
    )
    text = text.replace('@app.post("/named")', 'app = FastAPI(lifespan=start)\n\n\n@app.post("/named")').replace(
        "row: list[float]", "row: list[float], request: Request"
    )
    text = text.replace("import FastAPI", "import FastAPI, Request").replace(
        "import functools", "import functools\nfrom contextlib import asynccontextmanager"
    )
    (tmp_path / "main.py").write_text(text)
    assert api.apply(tmp_path, write=True)["not_ported"] == []
    _run_load(tmp_path, "pipeline.iris")


def test_what_would_be_no_python_is_refused(tmp_path: Path) -> None:
    load = "    models.update(iris=await asyncio.to_thread(joblib.load, path))"
    (tmp_path / "main.py").write_text(WAITING.format(load=load, held='models["iris"]'))
    (refused,) = api.apply(tmp_path, write=True)["not_ported"]
    assert refused["reason"].startswith("the moved code would be no Python: ") and refused["file"] == "main.py"


def _run_load(app: Path, held: str) -> None:
    joblib, linear = pytest.importorskip("joblib"), pytest.importorskip("sklearn.linear_model")
    joblib.dump(linear.LogisticRegression().fit([[0.0], [1.0]], [0, 1]), app / "iris.joblib")
    done = subprocess.run([sys.executable, "-c", LOADED.replace("{held}", held)], cwd=app, capture_output=True, text=True)
    assert done.stdout == "LogisticRegression\n", done.stderr
