"""Where a model is loaded, which library it is of, and who runs it without HTTP: small programs in, report rows out."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from triton_migrate import api
from triton_migrate.report.document import Report

ROUTE = """
from flask import Flask, jsonify, request
app = Flask(__name__)

@app.post("/p")
def p():
    return jsonify({ran})
"""


def scanned(folder: Path, **files: str) -> Report:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    return api.scan(folder)


def models(report: Report) -> list[tuple[str, int, str]]:
    return sorted((m["file"], m["line"], m["framework"]) for m in report["models"])


NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.one(x)
"""


def test_weights_that_are_read_are_the_load_not_the_construction(tmp_path: Path) -> None:
    app = "import torch\nfrom net import Net\nmodel = Net()\nstate = torch.load('net.pt')\nmodel.load_state_dict(state['weights'])\n"
    report = scanned(tmp_path, net=NET, app=app + ROUTE.format(ran="model(torch.tensor(request.json)).tolist()"))
    assert models(report) == [("app.py", 4, "pytorch")]


def test_a_network_without_weights_is_its_construction(tmp_path: Path) -> None:
    app = "import torch\nfrom net import Net\nmodel = Net()\n" + ROUTE.format(ran="model.forward(torch.tensor(request.json)).tolist()")
    assert models(scanned(tmp_path, net=NET, app=app)) == [("app.py", 3, "pytorch")]


def test_a_helper_that_reads_weights_shows_each_of_its_callers(tmp_path: Path) -> None:
    weights = "from keras import Sequential\n\ndef restore(model: Sequential, file):\n    model.load_weights(file)\n    return model\n"
    app = """
    from keras import Sequential
    from weights import restore
    cats = Sequential()
    cats = restore(cats, "cats.h5")
    dogs = restore(model=Sequential(), file="dogs.h5")
    """
    report = scanned(
        tmp_path, weights=weights, app=dedent(app) + ROUTE.format(ran="(cats.predict(request.json) + dogs.predict(request.json)).tolist()")
    )
    assert models(report) == [("app.py", 5, "keras"), ("app.py", 6, "keras")]
    assert sorted(m["artifact"] or "" for m in report["models"]) == ["cats.h5", "dogs.h5"]


def test_a_fitted_transformer_is_listed_and_a_pickled_table_is_not(tmp_path: Path) -> None:
    app = """
    import pickle
    model = pickle.load(open("model.p", "rb"))
    scaler = pickle.load(open("scaler.p", "rb"))
    names = pickle.load(open("names.p", "rb"))
    """
    report = scanned(tmp_path, app=dedent(app) + ROUTE.format(ran="[names[i] for i in model.predict(scaler.transform(request.json))]"))
    assert models(report) == [("app.py", 3, "sklearn"), ("app.py", 4, "sklearn")]


@pytest.mark.parametrize(
    ("file", "training", "framework"),
    [
        ("xgb_churn.pkl", "", "xgboost"),
        ("churn.pkl", "", "pickle-unknown"),
        ("churn.pkl", "import pickle\nfrom catboost import CatBoost\npickle.dump(CatBoost(), open('out/churn.pkl', 'wb'))\n", "catboost"),
    ],
)
def test_the_library_of_a_pickle(tmp_path: Path, file: str, training: str, framework: str) -> None:
    app = f"import pickle\nmodel = pickle.load(open({file!r}, 'rb'))\n" + ROUTE.format(ran="model.predict(request.json).tolist()")
    assert models(scanned(tmp_path, app=app, train=training)) == [("app.py", 2, framework)]


def test_a_load_that_nothing_runs_is_listed_where_the_service_does_it(tmp_path: Path) -> None:
    app = "import whisper, joblib\nspeech = whisper.load_model('base')\nrows = joblib.load('rows.joblib')\n" + ROUTE.format(ran="1")
    report = scanned(tmp_path, app=app, notebook="import whisper\nwhisper.load_model('large')\n")
    assert models(report) == [("app.py", 2, "whisper")]
    assert [m["predict_sites"] for m in report["models"]] == [[]]


def test_a_training_loop_is_no_inference_and_a_fit_beside_a_predict_is(tmp_path: Path) -> None:
    app = """
    import torch
    from statsmodels.tsa.arima.model import ARIMA
    from net import Net
    from flask import Flask, jsonify, request
    app = Flask(__name__)

    @app.post("/train")
    def train():
        model, losses = Net(), []
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for row in request.json:
            loss = model(torch.tensor(row)).sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return jsonify(losses)

    @app.post("/forecast")
    def forecast():
        return jsonify(ARIMA(request.json, order=(1, 0, 0)).fit().forecast(3).tolist())
    """
    report = scanned(tmp_path, net=NET, app=app)
    assert {e["path"]: e["inference"] for e in report["endpoints"]} == {"/train": False, "/forecast": True}


SCORE = "import joblib\nmodel = joblib.load('m.joblib')\nprint(model.predict([[1.0]]))\n"


def test_a_script_counts_where_nothing_else_runs_a_model(tmp_path: Path) -> None:
    report = scanned(
        tmp_path, score=SCORE, fit="import joblib\nmodel = joblib.load('m.joblib')\nmodel.fit([[1.0]], [1])\nmodel.predict([[1.0]])\n"
    )
    assert [(c["file"], c["function"], c["category"], c["rule"]) for c in report["consumers"]] == [
        ("score.py", "<module>", "individual", "I2")
    ]
    assert report["app_category"] == "individual"


def test_a_script_beside_a_service_is_none_of_it(tmp_path: Path) -> None:
    app = "import joblib\nmodel = joblib.load('m.joblib')\n" + ROUTE.format(ran="model.predict(request.json).tolist()")
    report = scanned(tmp_path, score=SCORE, app=app)
    assert report["consumers"] == []
    assert models(report) == [("app.py", 2, "sklearn")]


def test_a_singleton_made_by_new_holds_its_model(tmp_path: Path) -> None:
    service = """
    import joblib

    class Service:
        _instance = None

        def __new__(cls):
            if cls._instance is None:
                cls._instance = super(Service, cls).__new__(cls)
                cls._instance.parts = {}
                cls._instance._start()
            return cls._instance

        def _start(self):
            self.parts["model"] = joblib.load("m.joblib")

        @classmethod
        def model(cls):
            return cls._instance.parts.get("model")
    """
    app = "from service import Service\nservice = Service()\n" + ROUTE.format(ran="service.model().predict(request.json).tolist()")
    assert models(scanned(tmp_path, service=service, app=app)) == [("service.py", 15, "sklearn")]


def test_a_librarys_submodule_is_not_the_programs_file_of_that_name(tmp_path: Path) -> None:
    app = "from torchvision import models\nnet = models.resnet18(weights='DEFAULT')\n" + ROUTE.format(ran="net(request.json).tolist()")
    report = scanned(tmp_path, __init__="", models="class Row:\n    pass\n", app=app)
    assert models(report) == [("app.py", 2, "pytorch")]
