"""Models that a loop loads from files it opens are versions of one model, and the application opens the files no more."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

from triton_migrate import api

REGISTRY = """\
import pickle
from pathlib import Path
from textwrap import dedent

FOLDER = Path(__file__).parent / "store"


class Registry:
    files = {"linear": "linear.pkl", "forest": "forest.pkl"}

    def __init__(self):
        self.models = {}

    def load(self):
        for name, file in self.files.items():
            with open(FOLDER / file, "rb") as f:
                self.models[name] = pickle.load(f)

    def get(self, name):
        return self.models[name]


registry = Registry()
registry.load()
"""
SERVICE = """\
from fastapi import Depends, FastAPI

from registry import registry

app = FastAPI()


def chosen(model: str = "forest"):
    return model, registry.get(model)


@app.post("/price")
def price(area: float, rooms: int, picked: tuple = Depends(chosen)):
    name, model = picked
    value = float(model.predict([[area, rooms]])[0])
    return {"model": name, "price": round(value, 2)}
"""


def test_a_loop_that_opens_files_makes_versions(tmp_path: Path) -> None:
    (tmp_path / "registry.py").write_text(REGISTRY)
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "requirements.txt").write_text("fastapi\nscikit-learn\n")
    report = api.apply(tmp_path, write=True, allow_dirty=True)
    assert [e["port"] and e["port"]["status"] for e in report["endpoints"]] == ["ported"]

    left, asked = (tmp_path / "registry.py").read_text(), (tmp_path / "service.py").read_text()
    assert 'self.models[name] = {"linear": 1, "forest": 2}[name]' in left.replace("'", '"')
    assert "open(" not in left and "pickle" not in left and "FOLDER" not in left, "the files are Triton's"
    assert "name, model = picked" in asked and "version=model" in asked, "the tuple with a model in it is not sent"
    assert "PICKED" not in asked
    (folder,) = (f for f in (tmp_path / "triton_serving/model_repository").iterdir() if f.is_dir())
    for number, file in ((1, "linear.pkl"), (2, "forest.pkl")):
        text = (folder / str(number) / "pipeline.py").read_text()
        loads = next(s for s in ast.parse(text).body if isinstance(s, ast.FunctionDef) and s.name == "load")
        opened = next(s for s in loads.body if isinstance(s, ast.With))
        assert "pickle.load(f)" in ast.unparse(opened) and f'file = "{file}"' in text


def test_a_pickle_of_unknown_contents_gets_what_the_application_requires(tmp_path: Path) -> None:
    app = """\
        import pickle
        from pathlib import Path

        from flask import Flask, jsonify, request

        HERE = Path(__file__).parent
        app = Flask(__name__)


        class Rents:
            def __init__(self, path=HERE / "data" / "rent.pkl"):
                with open(path, "rb") as f:
                    held = pickle.load(f)
                self.estimator, self.columns = held["estimator"], held["columns"]

            def of(self, flat):
                return self.estimator.predict([[flat[c] for c in self.columns]])


        rents = Rents()


        @app.post("/rent")
        def rent():
            return jsonify(round(float(rents.of(request.get_json())[0]), 2))
        """
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text(dedent(app))
    (tmp_path / "app" / "requirements.txt").write_text("flask\nscikit-learn==1.5.0\nnumpy<2\n")
    report = api.apply(tmp_path / "app", out=tmp_path / "out", write=True)
    assert report["not_ported"] == [] and [m["artifact"] for m in report["models"]] == ["data/rent.pkl"]
    serving = tmp_path / "app" / "triton_serving"
    assert [folder.name for folder in serving.glob("model_repository/*")] == ["rent"]
    assert "scikit-learn==1.5.0" in (serving / "requirements.txt").read_text().splitlines()
