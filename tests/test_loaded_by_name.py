"""Models that a request names and a cache keeps: the cache leaves with the code that fills it; what else looks at it is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.verify.run import verify_port
from triton_migrate.verify.start import Application

MODELS = """\
import joblib
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import make_pipeline

for name, data in (("iris", load_iris()), ("wine", load_wine())):
    rows, labels = data.data[:, :4], data.target_names[data.target]
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels), f"{name}.joblib")
"""
STORE = """\
import threading
from functools import lru_cache
from pathlib import Path

import joblib

MODELS = {}


def get_model(name):
    if name not in MODELS:
        MODELS[name] = joblib.load(f"{name}.joblib")
    return MODELS[name]


def scored(name, row):
    model = get_model(name)
    scores = model.predict_proba([row])[0]
    best = int(scores.argmax())
    return {"label": str(model.classes_[best]), "score": float(scores[best])}


class Registry:
    def __init__(self, folder):
        self.folder = Path(folder)
        self._models = {}
        self._lock = threading.Lock()

    def get(self, name):
        with self._lock:
            if name in self._models:
                return self._models[name]
            path = self.folder / f"{name}.joblib"
            if not path.exists():
                raise KeyError(name)
            self._models[name] = model = joblib.load(path)
            return model


registry = Registry(".")


@lru_cache(maxsize=2)
def kept(name):
    return joblib.load(f"{name}.joblib")
"""
MAIN = """\
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from store import kept, registry, scored
from zoo import find_model

app = FastAPI()


class Asked(BaseModel):
    row: list[float]
    model: str = "iris"


@app.post("/scored/{name}")
def score(name: str, asked: Asked):
    try:
        return scored(name, asked.row)
    except FileNotFoundError:
        return JSONResponse({"error": f"there is no {name}"}, status_code=410)


@app.post("/registered")
def registered(asked: Asked):
    try:
        labels = registry.get(asked.model).predict([asked.row])
    except KeyError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    return {"model": asked.model, "label": str(labels[0])}


@app.post("/kept")
async def remembered(asked: Asked):
    try:
        model = kept(asked.model)
    except FileNotFoundError as error:
        raise HTTPException(404, f"cannot load it: {error}")
    return {"label": str(model.predict([asked.row])[0])}


@app.post("/found")
def found(asked: Asked):
    if len(asked.row) != 4:
        raise HTTPException(status_code=422, detail="four numbers")
    try:
        label = find_model(asked.model).predict([asked.row])[0]
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(status_code=500, detail=f"failed: {error}")
    return {"label": str(label)}
"""
ZOO = """\
from pathlib import Path

import joblib
from fastapi import HTTPException, status

_models = {}
FOLDER = Path(".")


def find_model(name: str):
    model = _models.get(name)
    if model is None:
        path = FOLDER / f"{name}.joblib"
        if not path.exists():
            raise HTTPException(
                status_code=status.HTTP_404_NOT_FOUND, detail={"model": name, "why": "no \u201efile\u201c"}, headers={"x-model": name}
            )
        _models[name] = model = joblib.load(path)
    return model
"""
ROWS = ([5.1, 3.5, 1.4, 0.2], [6.9, 3.1, 5.4, 2.1], [14.2, 1.7, 2.4, 15.6], [13.3, 2.6, 2.3, 19.0])


def app_of(folder: Path, **files: str) -> Path:
    app = folder / "app"
    app.mkdir()
    for name, text in files.items():
        (app / f"{name}.py").write_text(dedent(text))
    return app


def refusals(folder: Path, **files: str) -> list[tuple[str, str]]:
    """What `apply` says of each pipeline that it does not port: the entry, and why."""
    report: Any = api.apply(app_of(folder, **files))
    ports = ((e["id"], e["port"]) for e in report["endpoints"] if e["port"] is not None)
    return [(entry, told["reason"]) for entry, port in ports for told in port["not_done"]]


@pytest.mark.triton
def test_two_names_at_once_and_one_that_nobody_knows(tmp_path: Path) -> None:
    original, port = app_of(tmp_path, main=MAIN, store=STORE, zoo=ZOO), tmp_path / "port"
    subprocess.run([sys.executable, "-c", MODELS], cwd=original, check=True)
    shutil.copytree(original, port)
    report: Any = api.apply(port, exports="none", write=True)
    assert [e["port"]["status"] for e in report["endpoints"]] == ["ported"] * 4 and not report["not_ported"]
    assert not any("joblib" in (port / name).read_text() for name in ("main.py", "store.py", "zoo.py"))
    paths = {"scored": "/scored/{}", "registered": "/registered", "kept": "/kept", "found": "/found"}
    asked = [
        {
            "id": f"{way}-{name}-{i}",
            "method": "POST",
            "path": path.format(name),
            "json": {"row": row, "model": name},
            "infer": name != "none",
        }
        for way, path in paths.items()
        for name in ("iris", "wine", "none")
        for i, row in enumerate(ROWS[: 1 if name == "none" else None])
    ]
    asked.append({"id": "short", "method": "POST", "path": "/found", "json": {"row": [1.0], "model": "none"}})
    requests = tmp_path / "requests.jsonl"
    requests.write_text("\n".join(map(json.dumps, asked)))
    found = verify_port(original, port, Application("fastapi", "main:app", "asgi"), requests, python=Path(sys.executable), say=print)
    assert [(result.id, str(d)) for result in found.requests for d in result.differences] == []
    assert found.together is not None and not found.together.mixed_up and not found.together.left_out
    assert found.passed and len(found.requests) == 37


BODY = """\
import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)
loaded = {{}}


{first}
@app.post("/predict")
def predict():
    name = request.json["model"]
    if name not in loaded:
        loaded[name] = joblib.load({made})
    model = loaded[name]
    return jsonify(label=str(model.predict([request.json["row"]])[0]))
"""
LISTED = """\
@app.get("/loaded")
def listed():
    return jsonify(sorted(loaded))


"""
HELD = """\
state = {"models": loaded}


@app.get("/loaded")
def listed():
    return jsonify(sorted(state["models"]))


"""
PUT = """\
@app.post("/put/<name>")
def put(name):
    loaded[name] = joblib.load(f"{name}.joblib")
    return "", 204


"""


@pytest.mark.parametrize(
    ("first", "made"),
    [(LISTED, 'f"{name}.joblib"'), (HELD, 'f"{name}.joblib"'), (PUT, 'f"{name}.joblib"'), ("", 'request.json["file"]')],
    ids=["listed by a route", "listed under another name", "loaded anew by a route", "made of more than the key"],
)
def test_a_cache_that_more_depends_on_stays(first: str, made: str, tmp_path: Path) -> None:
    ((_, reason),) = refusals(tmp_path, main=BODY.format(first=first, made=made))
    assert first not in (LISTED, HELD) or "loaded is filled while the model runs" in reason


APART = """\
import joblib
from fastapi import FastAPI

app = FastAPI()


class Store:
    def __init__(self):
        self.models = {{}}

    def load(self, name):
        self.models[name] = joblib.load(f"{{name}}.joblib")

    def get(self, name):
        if name not in self.models:
            self.load(name)
        return self.models[name]


store = Store()
{more}

@app.post("/predict/{{name}}")
def predict(name: str, row: list[float]):
    return {{"label": str(store.get(name).predict([row])[0])}}
"""
ANEW = """
@app.post("/load/{name}")
def load(name: str):
    store.load(name)
    return {"loaded": name}

"""


@pytest.mark.parametrize(("more", "refused"), [("", 0), (ANEW, 1)], ids=["only where it is missing", "by a route, too"])
def test_a_cache_that_a_function_of_its_own_fills(more: str, refused: int, tmp_path: Path) -> None:
    assert len(refusals(tmp_path, main=APART.format(more=more))) == refused


SEVERAL = """\
import joblib
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
loaded = {{}}


class Asked(BaseModel):
    row: list[float]
    models: list[str] = ["iris"]


def get_model(name):
    if name not in loaded:
        loaded[name] = joblib.load(f"{{name}}.joblib")
    return loaded[name]


@app.post("/predict")
def predict(asked: Asked):
{body}
"""
LOOP = """\
    labels = []
    for name in asked.models:
        try:
            model = get_model(name)
        except FileNotFoundError:
            return {"unknown": name, "labels": labels}
        labels.append(str(model.predict([asked.row])[0]))
    return {"labels": labels}
"""
LISTED_LABELS = """\
    return {"labels": [str(get_model(name).predict([asked.row])[0]) for name in asked.models]}
"""
INSIDE = """\
    def label(name):
        def model():
            return get_model(name)

        return str(model().predict([asked.row])[0])

    return {"labels": [label(name) for name in asked.models]}
"""


@pytest.mark.parametrize("body", [LOOP, LISTED_LABELS, INSIDE], ids=["loop", "comprehension", "closure"])
def test_the_default_of_a_list_of_names_is_no_constant(body: str, tmp_path: Path) -> None:
    app = app_of(tmp_path, main=SEVERAL.format(body=body.rstrip()))
    api.apply(app, write=True)
    texts = [path.read_text() for path in app.glob("triton_serving/model_repository/*/1/pipeline.py")]
    assert not any("'iris'" in text for text in texts)


def test_what_a_function_remembers_and_a_route_clears_stays(tmp_path: Path) -> None:
    main = """\
        from functools import lru_cache

        import joblib
        from fastapi import FastAPI

        app = FastAPI()


        @lru_cache
        def kept(name):
            return joblib.load(f"{name}.joblib")


        @app.post("/predict/{name}")
        def predict(name: str, row: list[float]):
            return {"label": str(kept(name).predict([row])[0])}


        @app.post("/clear")
        def clear():
            kept.cache_clear()
            return {"cleared": True}
    """
    ((entry, reason),) = refusals(tmp_path, main=main)
    assert entry == "POST /predict/{name}" and "kept remembers" in reason


def test_a_cache_in_the_handler_leaves_with_what_reads_it(tmp_path: Path) -> None:
    app = app_of(tmp_path, main=BODY.format(first="", made='f"{name}.joblib"'))
    report: Any = api.apply(app, write=True)
    assert not report["not_ported"]
    (pipeline,) = app.glob("triton_serving/model_repository/*/1/pipeline.py")
    assert "loaded[name] = joblib.load(" in pipeline.read_text() and "loaded" not in (app / "main.py").read_text()


def test_a_name_out_of_a_request_that_is_no_parameter_is_no_constant(tmp_path: Path) -> None:
    main = """\
        import joblib
        from flask import Flask, jsonify, request

        app = Flask(__name__)
        MODELS = {}


        def get_model(name):
            if name not in MODELS:
                MODELS[name] = joblib.load(f"{name}.joblib")
            return MODELS[name]


        def label_of(body, row):
            return str(get_model(body["model"]).predict([row])[0])


        @app.route("/predict", methods=["POST"])
        def predict():
            body = request.get_json()
            return jsonify(label=label_of(body, [value * 2 for value in body["row"]]))
    """
    app = app_of(tmp_path, main=main)
    report: Any = api.apply(app, write=True)
    assert not report["not_ported"] and "MODELS" not in (app / "main.py").read_text()
    (pipeline,) = app.glob("triton_serving/model_repository/*/1/pipeline.py")
    assert "MODELS[name] = joblib.load(" in pipeline.read_text()


def test_a_default_of_a_name_that_requests_give_is_no_constant(tmp_path: Path) -> None:
    main = """\
        import joblib
        from fastapi import FastAPI
        from pydantic import BaseModel

        app = FastAPI()


        class Body(BaseModel):
            row: list[float]
            model: str = "iris"


        class Service:
            def __init__(self):
                self.models = {}

            def get(self, name):
                if name in self.models:
                    return self.models[name]
                model = joblib.load(f"{name}.joblib")
                self.models[name] = model
                return model

            def predict(self, rows, name="iris"):
                model = self.get(name)
                return [str(label) for label in model.predict(rows)]


        service = Service()


        @app.post("/predict")
        def predict(body: Body):
            return {"labels": service.predict([body.row], body.model)}
    """
    app = app_of(tmp_path, main=main)
    report: Any = api.apply(app, write=True)
    texts = [path.read_text() for path in app.glob("triton_serving/model_repository/*/1/pipeline.py")]
    assert not report["not_ported"] and texts and not any("name = 'iris'" in text for text in texts)


def test_what_each_round_of_a_loop_makes_is_no_one_object(tmp_path: Path) -> None:
    """The look-up cannot leave here: the upload that stays below it is used twice."""
    main = """
        import io

        import joblib
        import numpy as np
        from fastapi import FastAPI, HTTPException, UploadFile

        app = FastAPI()


        class Shelf:
            def __init__(self):
                self.models = {}
                for kind, (model, title) in {"shade": ("shade.joblib", "Shade"), "tint": ("tint.joblib", "Tint")}.items():
                    self.models[kind] = joblib.load(f"models/{model}")

            def get(self, kind):
                return self.models.get(kind)


        shelf = Shelf()


        @app.post("/{kind}")
        async def judge(kind: str, rows: UploadFile):
            model = shelf.get(kind)
            if not model:
                raise HTTPException(404, "no such kind")
            await rows.seek(0)
            content = await rows.read()
            return {"label": int(model.predict(np.load(io.BytesIO(content)))[0])}
    """
    ((entry, reason),) = refusals(tmp_path, main=main)
    assert entry == "POST /{kind}" and "model" in reason
