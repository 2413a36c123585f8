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


def test_a_class_called_by_its_written_name(tmp_path: Path) -> None:
    held = "import joblib\n\nclass Held:\n    def __init__(self):\n        self.model = joblib.load('m.joblib')\n"
    app = "from held import Held\nmade = eval('Held')()\nagain = globals()['Held']()\n"
    report = scanned(tmp_path, held=held, app=app + ROUTE.format(ran="(made.model.predict(0) + again.model.predict(0)).tolist()"))
    assert models(report) == [("held.py", 5, "sklearn")]
    assert len(report["models"][0]["predict_sites"]) == 2


def test_a_class_that_a_tasks_options_name(tmp_path: Path) -> None:
    work = """
    import importlib.util
    import os
    import sys
    from celery import Celery, Task

    queue = Celery("work")
    FOLDER = os.path.abspath(os.path.join(__file__, "..", "ml"))

    class Loading(Task):
        abstract = True

        def __call__(self, *args):
            sys.path.insert(0, self.path[0])
            spec = importlib.util.find_spec(self.path[1])
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self.model = getattr(module, self.path[2])()
            return self.run(*args)

    @queue.task(bind=True, base=Loading, path=(FOLDER, "net", "Net"))
    def score(self, rows):
        return self.model.predict(rows)
    """
    net = "import joblib\n\nclass Net:\n    def __init__(self):\n        self.inner = joblib.load('m.joblib')\n"
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml" / "net.py").write_text(net + "\n    def predict(self, rows):\n        return self.inner.predict(rows).tolist()\n")
    report = scanned(tmp_path, work=work)
    assert models(report) == [("ml/net.py", 5, "sklearn")]
    assert [task["inference"] for task in report["tasks"]] == [True]


def test_django_settings_hold_a_model(tmp_path: Path) -> None:
    settings = "import joblib\nROOT_URLCONF = 'urls'\nMODEL = joblib.load('m.joblib')\n"
    urls = "from django.urls import path\nimport views\nurlpatterns = [path('p', views.p)]\n"
    views = """
    from django.conf import settings
    from django.http import JsonResponse

    def p(request):
        return JsonResponse({"y": settings.MODEL.predict([[float(request.GET["x"])]]).tolist()})
    """
    assert models(scanned(tmp_path, settings=settings, urls=urls, views=views)) == [("settings.py", 3, "sklearn")]


KEEPER = """
import joblib
from sklearn.linear_model import LinearRegression

class Keeper:
    def __init__(self):
        self.model = joblib.load("m.joblib")

    def train(self, x, y):
        self.model = LinearRegression()
        self.model.fit(x, y)
        joblib.dump(self.model, "m.joblib")

keeper = Keeper()

if __name__ == "__main__":
    keeper.train([[1.0]], [1.0])
"""


def test_what_only_a_script_runs_is_none_of_the_services_models(tmp_path: Path) -> None:
    app = "from keeper import keeper\n" + ROUTE.format(ran="keeper.model.predict(request.json).tolist()")
    report = scanned(tmp_path, keeper=KEEPER, app=app)
    assert models(report) == [("keeper.py", 7, "sklearn")]
    assert [e["rule"] for e in report["endpoints"]] == ["I1"]


def test_a_method_that_a_route_runs_is(tmp_path: Path) -> None:
    app = "from keeper import keeper\n" + ROUTE.format(ran="keeper.model.predict(request.json).tolist()")
    app += "\n@app.post('/t')\ndef t():\n    keeper.train(**request.json)\n    return 'done'\n"
    report = scanned(tmp_path, keeper=KEEPER, app=app)
    assert models(report) == [("keeper.py", 7, "sklearn"), ("keeper.py", 10, "sklearn")]
    assert [e["rule"] for e in report["endpoints"] if e["inference"]] == ["T2"]


def test_a_look_at_how_good_a_fit_is_serves_nobody(tmp_path: Path) -> None:
    app = """
    import joblib
    from flask import Flask, jsonify, request
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import r2_score

    app = Flask(__name__)

    @app.post("/kept")
    def kept():
        model = LinearRegression().fit(**request.json)
        joblib.dump(model, "m.joblib")
        return jsonify(r2_score(request.json["y"], model.predict(request.json["X"])))

    @app.post("/dropped")
    def dropped():
        model = LinearRegression().fit(**request.json)
        return jsonify(model.predict(request.json["X"]).tolist())
    """
    assert {e["path"]: e["inference"] for e in scanned(tmp_path, app=app)["endpoints"]} == {"/kept": False, "/dropped": True}


def test_weights_that_are_optional_leave_the_load_where_it_was(tmp_path: Path) -> None:
    app = """
    import os
    import torch
    from transformers import VitsModel

    model = VitsModel.from_pretrained("a/b")
    if os.path.exists("more.pt"):
        model.load_state_dict(torch.load("more.pt"))
    """
    report = scanned(tmp_path, app=dedent(app) + ROUTE.format(ran="model(torch.tensor(request.json)).waveform.tolist()"))
    assert models(report) == [("app.py", 6, "transformers")]


def test_a_library_without_rules_is_guessed_by_what_is_called(tmp_path: Path) -> None:
    app = """
    from unheard_of import Recommender, Settings, WordNet, Words
    words, net = Words(), WordNet()
    settings = Settings("all.yaml")
    model = Recommender(settings)
    model.load_model("best")
    other = Recommender(settings)
    """
    ran = "[model.predict(request.json), other.predict(request.json), settings.describe(request.json), words(1), net(request.json)]"
    report = scanned(tmp_path, app=dedent(app) + ROUTE.format(ran=ran))
    assert models(report) == [("app.py", line, "other:unheard_of") for line in (3, 6, 7)]
    (endpoint,) = report["endpoints"]
    assert endpoint["inference"]
    assert endpoint["confidence"] <= 0.75, "a guess"


@pytest.mark.parametrize(
    ("head", "called"),
    [
        ("from gradio_client import Client\nmodel = Client('a/b')\n", "predict"),
        ("import pandas as pd\nmodel = pd.read_csv('a.csv')\n", "predict"),
        ("from unheard_of import model\n", "predict"),
        ("from unheard_of import Queue\nmodel = Queue()\n", "publish"),
    ],
)
def test_what_is_no_guess(tmp_path: Path, head: str, called: str) -> None:
    report = scanned(tmp_path, app=head + ROUTE.format(ran=f"model.{called}(request.json)"))
    assert models(report) == []
    assert [e["inference"] for e in report["endpoints"]] == [False]


def test_a_pickle_that_is_called_a_model_is_one_before_anything_runs_it(tmp_path: Path) -> None:
    app = "import joblib\nchurn_model = joblib.load('a.pkl')\nmodel_columns = joblib.load('b.pkl')\n" + ROUTE.format(ran="'soon'")
    assert models(scanned(tmp_path, app=app)) == [("app.py", 2, "sklearn")]


def test_a_look_at_held_back_rows_and_a_warm_up_serve_nobody(tmp_path: Path) -> None:
    app = """
    from flask import Flask, current_app, jsonify, request
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split

    app = Flask(__name__)
    encoders = {}

    def fitted(x, y):
        a, b, c, d = train_test_split(x, y)
        model = LinearRegression().fit(a, c)
        return model, model.predict(b)

    @app.post("/fit")
    def fit():
        model, seen = fitted(request.json["x"], request.json["y"])
        current_app.extensions["line"] = model
        return jsonify(seen.tolist())

    @app.post("/line")
    def line():
        model, _ = fitted([[1], [2]], [1, 2])
        return jsonify(model.predict(request.json).tolist())

    @app.post("/encoder")
    def encoder():
        made = SentenceTransformer(request.json["name"])
        made.encode("ready?")
        encoders[request.json["name"]] = made
        return "loaded"
    """
    found = {e["path"]: e["inference"] for e in scanned(tmp_path, app=app)["endpoints"]}
    assert found == {"/fit": False, "/line": True, "/encoder": False}


def test_a_warm_up_in_a_function_of_its_own_serves_nobody(tmp_path: Path) -> None:
    app = """
    import numpy as np
    from flask import Flask, jsonify, request
    from ultralytics import YOLO

    app = Flask(__name__)

    class Engine:
        def __init__(self):
            self.models = {}
            self._load("general")

        def _load(self, name):
            self.models[name] = YOLO(f"{name}.pt")
            self._warm_up(name)

        def _warm_up(self, name):
            image = np.zeros((640, 640, 3), dtype=np.uint8)
            seen = self.models[name](image, verbose=False)

        def checked(self, image):
            self._load("checked")
            return self.look(image)

        def look(self, image):
            seen = self.models["general"](image)
            return len(seen)

    engine = None

    def get_engine():
        global engine
        if engine is None:
            engine = Engine()
        return engine

    @app.get("/models")
    def known():
        return jsonify(list(get_engine().models))

    @app.post("/look")
    def look():
        return jsonify(get_engine().look(request.json))

    @app.post("/checked")
    def checked():
        return jsonify(get_engine().checked(request.json))
    """
    found = {e["path"]: e["inference"] for e in scanned(tmp_path, app=app)["endpoints"]}
    assert found == {"/models": False, "/look": True, "/checked": True}


def test_what_a_result_decides_is_answered(tmp_path: Path) -> None:
    app = """
    from flask import Flask, jsonify, request
    from sklearn.linear_model import LogisticRegression

    app = Flask(__name__)

    @app.post("/p")
    def p():
        model = LogisticRegression().fit(request.json["x"], request.json["y"])
        words = []
        for label in model.predict(request.json["z"]):
            if label == 1:
                words.append("buy")
            else:
                words.append("sell")
        return jsonify(words)
    """
    assert [e["inference"] for e in scanned(tmp_path, app=app)["endpoints"]] == [True]


def test_a_factory_that_a_training_script_calls_too(tmp_path: Path) -> None:
    nets = NET + "\n    @classmethod\n    def made(cls):\n        return cls()\n"
    train = "import torch\nfrom nets import Net\nnet = Net.made()\nnet.load_state_dict(torch.load('last.pt'))\n"
    app = "import torch\nfrom nets import Net\nnet = Net.made()\nrows = []\nrows.append(Net.made())\nkept = torch.load('net.pt')\n"
    app += "net.load_state_dict(kept['weights'])\n" + ROUTE.format(ran="net(torch.tensor(request.json)).tolist()")
    assert models(scanned(tmp_path, nets=nets, train=train, app=app)) == [("app.py", 6, "pytorch")]


def test_a_network_of_parts_of_a_loaded_one_is_no_model_of_its_own(tmp_path: Path) -> None:
    app = """
    import tensorflow as tf
    net = tf.keras.models.load_model("net.keras")
    inner = tf.keras.Model(net.inputs, net.get_layer("conv").output)
    given = tf.keras.Input(shape=(8,))
    x = given
    for name in ("pool", "dense"):
        x = net.get_layer(name)(x)
    head = tf.keras.Model(given, x)
    alone = tf.keras.Sequential([tf.keras.layers.Dense(2)])
    """
    ran = "[m(request.json).numpy().tolist() for m in (inner, head, alone)]"
    assert models(scanned(tmp_path, app=dedent(app) + ROUTE.format(ran=ran))) == [("app.py", 3, "keras"), ("app.py", 10, "keras")]


def test_the_fields_that_a_model_serializer_lists(tmp_path: Path) -> None:
    views = """
    import joblib
    from rest_framework import serializers
    from rest_framework.response import Response
    from rest_framework.views import APIView

    model = joblib.load("m.joblib")

    class Rows(serializers.ModelSerializer):
        class Meta:
            fields = ["size", "age"]

    class Predict(APIView):
        def post(self, request):
            rows = Rows(data=request.data)
            return Response(model.predict([[rows.validated_data["size"], rows.validated_data["age"]]]).tolist())
    """
    urls = "from django.urls import path\nfrom views import Predict\nurlpatterns = [path('p', Predict.as_view())]\n"
    report = scanned(tmp_path, settings="ROOT_URLCONF = 'urls'\n", urls=urls, views=views)
    assert [sorted(i["name"] for i in e["inputs"]) for e in report["endpoints"]] == [["age", "size"]]


def test_a_stub_that_a_test_puts_on_a_model_of_its_own_hides_no_other(tmp_path: Path) -> None:
    app = """
    import torch, torchvision
    from settings import NAME
    net = getattr(torchvision.models, NAME)(weights=None).eval()
    """
    test = """
    import torchvision, app
    def test_p(monkeypatch):
        model = torchvision.models.vgg11()
        monkeypatch.setattr(model, "forward", lambda x: [[1]])
        app.net = model
    """
    route = ROUTE.format(ran="net.forward(torch.tensor(request.json)).tolist()")
    (tmp_path / "settings.py").write_text("import os\nNAME = os.environ['NAME']\n")
    report = scanned(tmp_path, app=dedent(app) + route, test_app=test)
    assert models(report) == [("app.py", 4, "pytorch")], "of whichever name, a network of torchvision"
    assert [(e["handler"], e["inference"]) for e in report["endpoints"]] == [("p", True)]


def test_what_an_unknown_library_loads_from_pretrained_is_a_model_but_no_tokenizer(tmp_path: Path) -> None:
    app = """
    from voicelib import Speaker, SpeakerTokenizer
    speaker = Speaker.from_pretrained("lab/speaker")
    tokenizer = SpeakerTokenizer.from_pretrained("lab/speaker")
    """
    report = scanned(tmp_path, app=dedent(app) + ROUTE.format(ran="speaker.generate(tokenizer.encode(request.json))"))
    assert models(report) == [("app.py", 3, "other:voicelib")]
    report = scanned(tmp_path, app=dedent(app) + ROUTE.format(ran="tokenizer.encode(request.json)"))
    assert models(report) == [] and not report["endpoints"][0]["inference"]


def test_a_file_is_found_however_many_functions_hand_its_name_on(tmp_path: Path) -> None:
    """Each is called twice by the one before: the ways from the first to the last are 2 ** 20."""
    steps = [f"def load_{n}(file):\n    load_{n + 1}(file)\n    return load_{n + 1}(file)\n" for n in range(20)]
    loads = "import joblib\n" + "\n".join([*steps, "def load_20(file):\n    return joblib.load(file)\n"])
    app = "from loads import load_0\nmodel = load_0('iris.joblib')\n" + ROUTE.format(ran="model.predict(request.json).tolist()")
    (model,) = scanned(tmp_path, loads=loads, app=app)["models"]
    assert model["artifact"] == "iris.joblib"


def test_a_folder_that_is_made_of_itself_names_no_file(tmp_path: Path) -> None:
    held = """
    import os
    import joblib

    class Held:
        def __init__(self):
            self.folder = self.folder + "models/"
            self.model = joblib.load(os.path.join(self.folder, "m.joblib"))
    """
    app = "from held import Held\nheld = Held()\n" + ROUTE.format(ran="held.model.predict(request.json).tolist()")
    (model,) = scanned(tmp_path, held=held, app=app)["models"]
    assert not model["artifact"]


WORDS = """
import joblib, tensorflow_hub
from flask import Flask, jsonify, request
app = Flask(__name__)
m = joblib.load('a')
def words():
    layer = tensorflow_hub.load('https://tfhub.dev/words')
    return layer.vocabulary
def filled():
    from keras.models import model_from_json
    net = model_from_json(open('net.json').read())
    net.load_weights('net.h5')
    return net
@app.post('/p')
def p():
    return jsonify({ran})
"""


@pytest.mark.parametrize(
    ("ran", "listed"),
    [
        ("words=len(words()), y=m.predict([request.form['x']]).tolist()", [(5, "sklearn"), (7, "tensorflow")]),
        ("y=m.predict([request.form['x']]).tolist()", [(5, "sklearn")]),
        ("words=len(words())", []),
        ("y=filled().predict([request.form['x']]).tolist()", [(12, "keras")]),
    ],
    ids=["loaded beside", "not reached", "nothing is run", "made, then filled"],
)
def test_what_an_entry_that_runs_a_model_also_loads_is_listed(tmp_path: Path, ran: str, listed: list[tuple[int, str]]) -> None:
    report = scanned(tmp_path, app=WORDS.replace("{ran}", ran))
    assert [(line, framework) for _, line, framework in models(report)] == listed


HOLDERS = """
class Given:
    def __init__(self, model, scaler=None):
        self.model = model

class Gathered:
    def __init__(self, **parts):
        self.parts = parts

class Named:
    def __init__(self, given):
        for name, part in given.items():
            setattr(self, name, part)

class Late:
    def __init__(self, given):
        self.given = given

    @property
    def model(self):
        return self.given.get("model")

"""


@pytest.mark.parametrize(
    "taken",
    [
        "kept.get('model')",
        "kept.get('model', None) or kept.get('clf')",
        "kept.pop('model')",
        "kept.get('models').get('main')",
        "list(kept.values())[0]",
        "{name: part for name, part in kept.items()}['model']",
        "kept.model",
        "getattr(kept, 'model', kept)",
        "SimpleNamespace(**kept).model",
        "Given(**kept).model",
        "Gathered(**kept).parts['model']",
        "Named(kept).model",
        "Late(kept).model",
    ],
)
@pytest.mark.parametrize("load", ["pickle.load(open('m.bin', 'rb'))", "joblib.load('m.bin')", "torch.load('m.bin')"])
def test_a_model_among_what_a_file_holds(tmp_path: Path, load: str, taken: str) -> None:
    head = f"import pickle, joblib, torch\nfrom types import SimpleNamespace\n\nkept = {load}\n"
    called = "" if load.startswith("torch") else ".predict"
    report = scanned(tmp_path, app=head + HOLDERS + f"model = {taken}\n" + ROUTE.format(ran=f"str(model{called}(request.json))"))
    assert [m["line"] for m in report["models"]] == [4]
    assert report["unresolved"] == []


REGISTERED = """
import joblib

class Base:
    tasks = {}

    @classmethod
    def task(cls, function):
        cls.tasks[function.__name__] = function
        return function

    def run(self, name, rows):
        return self.tasks[name](self, rows)

class Sides(Base):
    def __init__(self):
        self.model = joblib.load('m.joblib')

    @Base.task
    def side(self, rows):
        return self.model.predict(rows)

sides = Sides()
"""


def test_a_method_that_a_base_class_keeps_as_a_function_gets_its_own_object(tmp_path: Path) -> None:
    report = scanned(tmp_path, app=REGISTERED + ROUTE.format(ran="sides.run('side', request.json).tolist()"))
    assert models(report) == [("app.py", 17, "sklearn")]
    assert report["unresolved"] == []


def test_copies_that_a_notebook_server_keeps_are_no_program(tmp_path: Path) -> None:
    text = "import joblib\nm = joblib.load('a')\n" + ROUTE.format(ran="y=m.predict([request.form['x']]).tolist()")
    (tmp_path / "app.py").write_text(text)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "app-checkpoint.py").write_text(text)
    report = api.scan(tmp_path)
    assert [e["file"] for e in report["endpoints"]] == ["app.py"]


def test_what_could_not_be_resolved_is_told_with_its_reason(tmp_path: Path) -> None:
    engines = """
    import os
    import joblib

    opened = joblib.load("churn.joblib")

    def engine(name):
        return vars(os)[name]

    def scorer():
        model = joblib.load("late.joblib")
        return vars(model)["steps"]
    """
    app = "from engines import engine, scorer\nscorer()\n" + ROUTE.format(ran="engine(request.json['name']).predict(request.json['x'])")
    report = scanned(tmp_path, engines=engines, app=app)
    told = [(row["file"], row["line"], row["call"], row["reason"], row["entries"]) for row in report["unresolved"]]
    not_run = "it is loaded here, and no call was found that runs it"
    assert told == [
        ("app.py", 9, "engine().predict", "what `builtins.vars()[].predict` does is not known", ["POST /p"]),
        ("engines.py", 11, "load", not_run, []),
    ]
    assert not report["endpoints"][0]["inference"]


def test_what_another_entry_follows_is_resolved(tmp_path: Path) -> None:
    app = """
    import joblib
    from flask import Flask, request
    app = Flask(__name__)
    model = joblib.load("churn.joblib")

    def score(model, x):
        return model.predict(x).tolist()

    @app.post("/a")
    def a():
        return score(model, request.json)

    @app.post("/b")
    def b():
        return score(app.view_functions.popitem(), request.json)
    """
    assert scanned(tmp_path, app=app)["unresolved"] == []


def test_work_that_is_only_kept_for_another_route_to_ask_about_goes_on_beside(tmp_path: Path) -> None:
    app = """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    import joblib
    from fastapi import FastAPI

    app = FastAPI()
    pool = ThreadPoolExecutor()
    model = joblib.load("m.joblib")
    jobs, running = {}, set()

    def score(x):
        return model.predict([x])[0]

    async def ascore(x):
        return model.predict([x])[0]

    @app.post("/kept")
    def kept(job: str, x: float):
        jobs[job] = pool.submit(score, x)
        return {"job": job}

    @app.post("/named")
    async def named(x: float):
        task = asyncio.create_task(ascore(x))
        running.add(task)
        task.add_done_callback(running.discard)
        return {}

    @app.post("/asked")
    def asked(job: str, x: float):
        jobs[job] = pool.submit(score, x)
        return {"y": jobs[job].result()}

    @app.post("/awaited")
    async def awaited(x: float):
        task = asyncio.create_task(ascore(x))
        return {"y": await task}
    """
    queues = {e["path"]: e["queue"] for e in scanned(tmp_path, app=app)["endpoints"]}
    assert queues == {"/kept": "thread", "/named": "thread", "/asked": None, "/awaited": None}
