"""Ports of applications that keep their model in an unusual place answer as the originals did: both run here, without Triton."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from triton_migrate import api

APP = """\
from flask import Flask, jsonify, request
{imported}

app = Flask(__name__)


@app.route("/side", methods=["POST"])
def side():
    x = request.get_json()["x"]
{ran}
    return jsonify(side=int(y[0]))
"""
ASKED = """\
import app
client = app.app.test_client()
for x in ([1, 2, 3, 4], [-1, 0, 0, 0], [-3.5, 1, 2, 2]):
    for _ in range(2):
        reply = client.post("/side", json={"x": x})
        print(reply.status_code, reply.get_data(as_text=True))
"""
LOAD = 'joblib.load("m.joblib")'
KEPT = {
    "a name that either branch annotates": (
        f"""
        import os
        from typing import Final

        if os.environ.get("EMPTY"):
            model: object = None
            BOUND: Final[float] = 0.5
        else:
            known: float
            model: Final[object] = {LOAD}
            BOUND: Final[float] = float(model.intercept_[0])
        """,
        "from store import model",
        "y = model.predict([x])",
    ),
    "a dict in the file, looked up": (
        """
        kept = joblib.load("kept.joblib")
        model = kept.get("model") or kept.get("clf")
        """,
        "from store import model",
        "y = model.predict([x])",
    ),
    "a dict in the file, spread into a class": (
        """
        class Service:
            def __init__(self, clf, columns=()):
                self.clf = clf
                self.columns = columns

        service = Service(**joblib.load("kept.joblib"))
        """,
        "from store import service",
        "y = service.clf.predict([x])",
    ),
    "a property that loads when it is read": (
        f"""
        class Service:
            def __init__(self):
                self._model = None

            @property
            def model(self):
                if self._model is None:
                    self._model = {LOAD}
                return self._model

        service = Service()
        """,
        "from store import service",
        "y = service.model.predict([x])",
    ),
    "a context manager": (
        f"""
        from contextlib import contextmanager

        @contextmanager
        def opened():
            yield {LOAD}
        """,
        "from store import opened",
        "with opened() as model:\n    y = model.predict([x])",
    ),
    "an object that a with opens": (
        f"""
        class Opened:
            def __enter__(self):
                self.model = {LOAD}
                return self

            def __exit__(self, *error):
                self.model = None
        """,
        "from store import Opened",
        "with Opened() as opened:\n    y = opened.model.predict([x])",
    ),
    "a generator": (
        f"""
        def models():
            made = {LOAD}
            while True:
                yield made

        pool = models()
        """,
        "from store import pool",
        "y = next(pool).predict([x])",
    ),
    "a subclass that its base registers": (
        f"""
        class Base:
            kinds = {{}}

            def __init_subclass__(cls):
                Base.kinds[cls.__name__] = cls

        class Linear(Base):
            def __init__(self):
                self.model = {LOAD}

            def run(self, x):
                return self.model.predict([x])

        engine = Base.kinds["Linear"]()
        """,
        "from store import engine",
        "y = engine.run(x)",
    ),
    "a function around the one that asks": (
        f"""
        def made():
            model = None

            def run(x):
                nonlocal model
                if model is None:
                    model = {LOAD}
                return model.predict([x])

            return run

        asked = made()
        """,
        "from store import asked",
        "y = asked(x)",
    ),
    "one of two names, the other imported in vain": (
        f"""
        def load():
            return {LOAD}, ["left", "right"]

        model, names = load()
        """,
        "from store import model, names",
        "y = model.predict([x])",
    ),
    "the one object that __new__ keeps": (
        f"""
        class Engine:
            _only = None

            def __new__(cls):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                    cls._only.model = {LOAD}
                return cls._only

            def run(self, x):
                return self.model.predict([x])
        """,
        "from store import Engine",
        "y = Engine().run(x)",
    ),
    "a base class that asks its subclass for it": (
        f"""
        class Base:
            def start(self):
                self.model = self.make()

        class Engine(Base):
            def make(self):
                return {LOAD}

            def run(self, x):
                return self.model.predict([x])

        engine = Engine()
        engine.start()
        """,
        "from store import engine",
        "y = engine.run(x)",
    ),
}
SET_BY_ANOTHER = {
    "store": "model = None\n",
    "loader": f"import joblib\nimport store\n\n\ndef fill():\n    store.model = {LOAD}\n",
    "app": APP.format(imported="import loader\nimport store\n\nloader.fill()", ran="    y = store.model.predict([x])"),
}


def written(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 4))
    model = LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int))
    joblib.dump(model, folder / "m.joblib")
    joblib.dump(LogisticRegression().fit(rows, (rows[:, 1] > 0).astype(int)), folder / "other.joblib")
    joblib.dump({"clf": model, "columns": ["a", "b", "c", "d"]}, folder / "kept.joblib")
    return folder


def answers(app: Path, asked: str = ASKED) -> str:
    environment = {**os.environ, "TRITON_URL": "local", "PYTHONPATH": str(app)}
    run = subprocess.run([sys.executable, "-c", asked], cwd=app, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("kept", KEPT)
def test_the_port_answers_as_the_original(kept: str, tmp_path: Path) -> None:
    store, imported, ran = KEPT[kept]
    ran = "\n".join(f"    {line}" for line in ran.splitlines())
    files = {"store": f"import joblib\n{dedent(store)}", "app": APP.format(imported=imported, ran=ran)}
    original, port = written(tmp_path / "original", **files), written(tmp_path / "port", **files)
    report = api.apply(port, out=tmp_path / "out", write=True)
    assert report["not_ported"] == []
    assert answers(port) == answers(original)


def test_a_model_that_a_function_of_another_file_sets_is_refused(tmp_path: Path) -> None:
    report = api.apply(written(tmp_path / "app", **SET_BY_ANOTHER))
    (refused,) = report["not_ported"]
    assert (refused["reason"], refused["file"]) == ("model of store.py is set by a function of another file", "loader.py")


TWO = """\
import joblib
from flask import Flask, current_app, jsonify, request


class Service:
    def __init__(self, path):
        self.model = joblib.load(path)

    @classmethod
    def at(cls, path):
        return cls(path)

    def side(self, x):
        return int(self.model.predict([x])[0])


def make(path):
    return Service(path)


app = Flask(__name__)
{kept}


@app.route("/side", methods=["POST"])
def side():
    return jsonify(side={left}.side(request.get_json()["x"]))


@app.route("/other", methods=["POST"])
def other():
    return jsonify(side={right}.side(request.get_json()["x"]))
"""
TWICE = {
    "names": ('left = make("m.joblib")\nright = make("other.joblib")', "left", "right"),
    "a class's own": ('left = Service.at("m.joblib")\nright = Service.at("other.joblib")', "left", "right"),
    "attributes": ('app.left = make("m.joblib")\napp.right = make("other.joblib")', "app.left", "current_app.right"),
    "keys": ('KEPT = {}\nKEPT["left"] = make("m.joblib")\nKEPT["right"] = make("other.joblib")', 'KEPT["left"]', 'KEPT["right"]'),
    "a dict": ('KEPT = {"left": make("m.joblib"), "right": make("other.joblib")}', 'KEPT["left"]', 'KEPT["right"]'),
    "a list": ('KEPT = [make("m.joblib"), make("other.joblib")]', "KEPT[0]", "KEPT[1]"),
    "a comprehension": ('KEPT = {n: make(n) for n in ("m.joblib", "other.joblib")}', 'KEPT["m.joblib"]', 'KEPT["other.joblib"]'),
}


@pytest.mark.parametrize("kept", TWICE)
def test_two_objects_that_one_function_makes_are_two_models(kept: str, tmp_path: Path) -> None:
    text, left, right = TWICE[kept]
    files = {"app": TWO.format(kept=text, left=left, right=right)}
    original, port = written(tmp_path / "original", **files), written(tmp_path / "port", **files)
    report = api.apply(port, out=tmp_path / "out", write=True)
    assert all("is one of several objects" in e["reason"] for e in report["not_ported"])
    asked = ASKED + ASKED.replace('"/side"', '"/other"')
    assert answers(port, asked) == answers(original, asked)
