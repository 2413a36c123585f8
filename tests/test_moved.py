"""Code that moves as it was written: what its imports, names and places become in `pipeline.py`."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.index.text import Text

ROUTE = """\
@app.route("/label", methods=["POST"])
def label():
    row = request.get_json()["row"]
    return jsonify(label=scored(row))
"""
APP = f"""\
import joblib
from flask import Flask, jsonify, request

from first import scored

app = Flask(__name__)


{ROUTE}"""


CHOSEN = "which module this imports is known only when it runs (engines/fast.py by default)"


def moved(folder: Path, cut: str = "cheapest", **files: str) -> tuple[Any, str]:
    """The report, and the one pipeline.py of an application in these modules."""
    app = folder / "app"
    app.mkdir()
    for name, text in files.items():
        (app / f"{name}.py").write_bytes(dedent(text).encode())
    report = api.apply(app, out=folder / "out", write=True, cut=cut)
    assert report["not_ported"] == []
    (pipeline,) = app.glob("triton_serving/model_repository/*/1/pipeline.py")
    return report, pipeline.read_text()


def imports(text: str) -> set[str]:
    return {ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)}


def test_two_modules_may_mean_different_things_by_one_name(tmp_path: Path) -> None:
    first = """\
        import joblib
        import numpy.linalg as la
        from second import shortened

        model = joblib.load("model.joblib")


        def scored(row):
            return float(model.predict([shortened(row) / la.norm(row)])[0])
    """
    second = """\
        from math import floor as la


        def shortened(row):
            return [la(value) for value in row]
    """
    _, text = moved(tmp_path, main=APP, first=first, second=second)
    assert {"import numpy.linalg as la", "from math import floor as app_la"} <= imports(text) or {
        "import numpy.linalg as app_la",
        "from math import floor as la",
    } <= imports(text)


def test_imports_of_one_root_are_one_name(tmp_path: Path) -> None:
    first = """\
        import joblib
        import os
        from second import shortened

        model = joblib.load(os.path.join("models", "model.joblib"))


        def scored(row):
            return float(model.predict([shortened(row)])[0])
    """
    second = """\
        import os
        import os.path


        def shortened(row):
            return [len(os.path.join(str(value), os.sep)) for value in row]
    """
    _, text = moved(tmp_path, main=APP, first=first, second=second)
    assert {"import os", "import os.path"} <= imports(text) and "app_os" not in text


def test_a_mark_at_the_start_and_a_form_feed_change_no_place(tmp_path: Path) -> None:
    first = """\
        \ufeffimport joblib
        model = joblib.load("model.joblib")
        \f
        def scored(row):
            label = model.predict([row])[0]
            return float(label)
    """
    moved(tmp_path, main=APP, first=dedent(first))
    edited = (tmp_path / "app" / "first.py").read_bytes()
    assert edited.startswith(b"\xef\xbb\xbf") and b"model.predict([row])[0]\n    return float(label)" in edited and b"triton" in edited


def test_a_name_that_nothing_defines_fails_where_it_did(tmp_path: Path) -> None:
    first = """\
        import joblib


        class Scorer:
            def __init__(self):
                self.model = joblib.load("model.joblib")

            def scored(self, row):
                return float(self.model.predict([row])[0])

            def plotted(self, rows):
                plt.plot(rows)


        scorer = Scorer()


        def scored(row):
            return scorer.scored(row)
    """
    _, text = moved(tmp_path, main=APP, first=first)
    assert "model.predict([row])" in text


def test_an_application_that_runs_no_model_is_left_alone(tmp_path: Path) -> None:
    first = """\
        import joblib

        model = joblib.load("model.joblib")


        def scored(row):
            return float(model.predict([[value * 2 for value in row]])[0])
    """
    other = """\
        from flask import Flask

        app = Flask(__name__)


        @app.route("/")
        def index():
            return "hello"
    """
    moved(tmp_path, main=APP, first=first, other=other)
    app = tmp_path / "app"
    assert "triton.Unavailable" in (app / "main.py").read_text() and (app / "other.py").read_text() == dedent(other)


def test_the_hook_of_a_task_class_loads_what_the_task_names(tmp_path: Path) -> None:
    tasks = """\
        import importlib

        from celery import Celery, Task

        queue = Celery("tasks", broker="redis://localhost")


        class PredictTask(Task):
            abstract = True

            def __init__(self):
                super().__init__()
                self.model = None

            def __call__(self, *args, **kwargs):
                if not self.model:
                    module = importlib.import_module(self.path[0])
                    self.model = getattr(module, self.path[1])()
                return self.run(*args, **kwargs)


        @queue.task(bind=True, base=PredictTask, path=("scorer", "Scorer"))
        def score(self, row):
            return self.model.predict([row]).tolist()
    """
    scorer = """\
        import joblib


        class Scorer:
            def __init__(self):
                self.model = joblib.load("model.joblib")

            def predict(self, rows):
                return self.model.predict(rows)
    """
    main = """\
        from flask import Flask, jsonify, request
        from tasks import score

        app = Flask(__name__)


        @app.route("/score", methods=["POST"])
        def submitted():
            return jsonify(id=score.delay(request.get_json()["row"]).id)
    """
    _, text = moved(tmp_path, main=main, tasks=tasks, scorer=scorer)
    made = text[text.index("def load():") :]
    assert "    predict_task.path = (" in made and "importlib.import_module(predict_task.path[0])" in made
    assert "    predict_task.model = getattr(module, predict_task.path[1])()\n" in made and "self" not in made


def test_tabs_among_spaces_are_as_wide_as_python_takes_them() -> None:
    text = Text("def f(rows):\n    for row in rows:\n    \tprint(row)\n        print(1)\n")
    assert text.statements((2, 4, 4, 16), (2, 4, 4, 16)) == "for row in rows:\n    print(row)\n    print(1)\n"


def test_what_the_module_does_to_an_object_that_moves_is_done_there_too(tmp_path: Path) -> None:
    first = """\
        import joblib


        class Limits:
            margin = 0.5


        limits = Limits()
        limits.margin = 0.9
        if limits.margin > 0.8:
            limits.strict = True
        weights = {"a": 1.0}
        weights["b"] = 2.0
        model = joblib.load("m.joblib")
        model.verbose = 0


        def scored(row):
            p = float(model.predict_proba([row])[0][1]) * weights["b"]
            return bool(p > limits.margin and limits.strict)
        """
    _, pipeline = moved(tmp_path, "pipeline", app=APP, first=first)
    stored = ("limits.margin = 0.9", "    limits.strict = True", 'weights["b"] = 2.0', "    model.verbose = 0")
    assert [line for line in stored if line not in pipeline.splitlines()] == []
    assert pipeline.index("limits = Limits()") < pipeline.index("limits.margin = 0.9") < pipeline.index("limits.strict")


LIMITS = """\
class Limits:
    margin = 0.5


limits = Limits()
weights = {"b": 1.0}
"""
LIMITED = """\
import joblib
from limits import limits, weights

model = joblib.load("m.joblib")


def scored(row):
    p = float(model.predict_proba([row])[0][1]) * weights["b"]
    return bool(p > limits.margin)
"""
CHANGES = (
    "from limits import limits\nlimits.margin = 0.9\n",
    "import limits as l\nl.limits = l.Limits(0.9)\n",
    "from limits import Limits\nLimits.margin = 0.9\n",
    "from limits import weights\nweights['b'] = 2.0\n",
)


@pytest.mark.parametrize("change", CHANGES)
def test_what_another_file_changes_when_it_is_imported_stays(change: str, tmp_path: Path) -> None:
    app = APP.replace("from first", "import adjusting\nfrom first")
    _, pipeline = moved(tmp_path, "pipeline", app=app, first=LIMITED, limits=LIMITS, adjusting=change)
    assert "margin" not in pipeline and "weights" not in pipeline


def test_what_a_script_beside_the_application_changes_is_no_matter(tmp_path: Path) -> None:
    _, pipeline = moved(tmp_path, "pipeline", app=APP, first=LIMITED, limits=LIMITS, adjusting=CHANGES[0])
    assert "limits = Limits()" in pipeline and 'weights = {"b": 1.0}' in pipeline


def test_a_network_that_the_application_goes_on_reading_keeps_its_weights(tmp_path: Path) -> None:
    app = """\
        import torch
        from flask import Flask, jsonify, request
        from torch import nn

        app = Flask(__name__)


        class Judge:
            def __init__(self):
                self.net = nn.Linear(2, 3)
                self.net.load_state_dict(torch.load("net.pth"))
                self.net.eval()

            def score(self, row):
                with torch.no_grad():
                    chances = torch.softmax(self.net(torch.tensor([row])), dim=1)[0]
                return {"best": "abc"[int(chances.argmax())], "chance": round(float(chances.max()), 3)}


        judge = Judge()


        @app.post("/score")
        def score():
            return jsonify(judge.score(request.get_json()["row"]))


        @app.get("/weights")
        def weights():
            return jsonify(sum(float(p.sum()) for p in judge.net.parameters()))
        """
    moved(tmp_path, app=app)
    left = (tmp_path / "app" / "app.py").read_text()
    assert "triton.infer(" in left and 'self.net.load_state_dict(torch.load("net.pth"))' in left


def test_an_expression_of_several_lines_is_one_without_the_brackets_around_it(tmp_path: Path) -> None:
    app = """\
        import joblib
        from flask import Flask, jsonify, request

        app = Flask(__name__)
        model = joblib.load("m.joblib")
        vectorizer = joblib.load("v.joblib")


        @app.post("/sure")
        def sure():
            chances = model.predict_proba(vectorizer.transform([request.get_json()["text"]]))[0]
            return jsonify(
                float(chances.max())
                + model.intercept_[0]
                - len(vectorizer.vocabulary_)
            )


        @app.post("/told")
        def told():
            chances = model.predict_proba(vectorizer.transform([request.get_json()["text"]]))[0]
            return jsonify(
                {
                    "label": model.classes_[chances.argmax()],
                    "of": len(vectorizer.vocabulary_),
                }
            )
        """
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text(dedent(app))
    report = api.apply(tmp_path / "app", out=tmp_path / "out", write=True)
    assert report["not_ported"] == []
    sure, told = ((tmp_path / f"app/triton_serving/model_repository/{name}/1/pipeline.py").read_text() for name in ("sure", "told"))
    assert "result = (float(chances.max())\n    + model.intercept_[0]\n    - len(vectorizer.vocabulary_))\n" in sure
    assert '    result = {\n        "label": model.classes_[chances.argmax()],\n' in told


@pytest.mark.parametrize(
    ("engine", "line", "reason"),
    [
        ('importlib.import_module("engines.fast").make("m.onnx")', 5, "engines/fast.py is imported by a call, and changed by the port"),
        ('importlib.import_module(os.getenv("ENGINE", "engines.fast")).Fast("m.onnx")', 5, CHOSEN),
        ('named(os.getenv("ENGINE", "engines.fast.Fast"))("m.onnx")', 9, CHOSEN),
    ],
)
def test_a_module_of_the_application_that_a_call_imports_is_not_run_in_triton_as_it_is_after_the_port(
    engine: str, line: int, reason: str, tmp_path: Path
) -> None:
    app = f"""\
        import importlib
        import os
        from fastapi import FastAPI
        app = FastAPI()
        fast = {engine}

        def named(dotted):
            module, _, name = dotted.rpartition(".")
            return getattr(importlib.import_module(module), name)

        @app.post("/fast")
        def answer(row: list[float]):
            return fast.score(row)
        """
    engines = """\
        import onnxruntime
        class Fast:
            def __init__(self, path):
                self.session = onnxruntime.InferenceSession(path)
            def score(self, row):
                return self.session.run(None, {"x": [row]})[0].tolist()
        def make(path):
            return Fast(path)
        """
    (tmp_path / "app/engines").mkdir(parents=True)
    (tmp_path / "app/app.py").write_text(dedent(app))
    (tmp_path / "app/engines/fast.py").write_text(dedent(engines))
    (refused,) = api.apply(tmp_path / "app", out=tmp_path / "out")["not_ported"]
    assert (refused["reason"], refused["file"], refused["line"]) == (reason, "app.py", line)
    assert refused["fix"] == "import it at the top of the file, by an import statement"
