"""Which models an entry runs and how it is judged: tiny Flask apps in, pipelines and verdicts out."""

from __future__ import annotations

from pathlib import Path

import pytest

from triton_migrate.study import Study, study
from triton_migrate.trace.records import InputOrigin

HEAD = "import joblib, xgboost, torch\nimport numpy as np\nfrom flask import Flask, request, jsonify\napp = Flask(__name__)\n"
ROUTE = "@app.post('/p')\ndef p():\n"


def studied(folder: Path, text: str) -> Study:
    (folder / "app.py").write_text(HEAD + text)
    return study(folder)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("b = xgboost.Booster()\nb.load_model('a.json')\n" + ROUTE + "    return jsonify(b.predict(request.get_json()).tolist())\n", 6),
        ("m = joblib.load('a')\n" + ROUTE + "    return jsonify(m.predict(request.get_json()).tolist())\n", 5),
        ("ms = {k: joblib.load(k) for k in 'ab'}\n" + ROUTE + "    return jsonify(ms['a'].predict(request.get_json()).tolist())\n", 5),
        (
            "class S:\n    m = None\n    def go(self, x):\n        if self.m is None:\n            self.m = joblib.load('a')\n"
            "        return self.m.predict(x)\ns = S()\n" + ROUTE + "    return jsonify(s.go(request.get_json()).tolist())\n",
            9,
        ),
    ],
)
def test_the_load_site_is_the_call_that_brings_the_model(tmp_path: Path, text: str, line: int) -> None:
    (pipeline,) = studied(tmp_path, text).pipelines
    assert [m.span.line for m in pipeline.models] == [line]
    assert len(pipeline.sites) == 1


def test_layers_of_an_own_network_are_no_models(tmp_path: Path) -> None:
    net = "class N(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.l = torch.nn.Linear(2, 1)\n"
    net += "    def forward(self, x):\n        return self.l(x)\nn = N()\n"
    (pipeline,) = studied(tmp_path, net + ROUTE + "    return jsonify(n(torch.tensor(request.get_json())).tolist())\n").pipelines
    assert [m.span.line for m in pipeline.models] == [11]


def test_another_artifact_at_the_clients_wish_is_no_state(tmp_path: Path) -> None:
    text = "class S:\n    m = None\ns = S()\n" + ROUTE
    text += "    s.m = joblib.load(request.args['name'])\n    return jsonify(s.m.predict(request.get_json()).tolist())\n"
    (verdict,) = studied(tmp_path, text).verdicts
    assert verdict is not None
    assert verdict.category != "tight"
    assert "dynamic-models" in verdict.flags


def test_history_that_other_requests_wrote_is_state(tmp_path: Path) -> None:
    text = "m = joblib.load('a')\nhistory = []\n@app.post('/add')\ndef add():\n    history.append(request.get_json())\n    return ''\n"
    verdicts = studied(tmp_path, text + ROUTE + "    return jsonify(m.predict(np.array(history)).tolist())\n").verdicts
    assert [(v.category, v.rule) for v in verdicts if v is not None] == [("tight", "T1")]


@pytest.mark.parametrize(("made", "off"), [("[]", "pop(0)"), ("deque()", "popleft()")])
def test_a_window_that_is_kept_short_is_no_queue(tmp_path: Path, made: str, off: str) -> None:
    text = f"from collections import deque\nm = joblib.load('a')\nhistory = {made}\n" + ROUTE
    text += f"    history.append(request.get_json())\n    while len(history) > 5:\n        old = history.{off}\n"
    text += "    return jsonify(m.predict(np.array(history)).tolist())\n"
    (pipeline,), (verdict,) = (found := studied(tmp_path, text)).pipelines, found.verdicts
    assert verdict is not None
    assert (verdict.rule, pipeline.queue) == ("T1", None)


@pytest.mark.parametrize("body", ["lines()", "stream_with_context(lines())"])
def test_what_is_made_while_it_is_sent_is_a_stream(tmp_path: Path, body: str) -> None:
    text = "from flask import Response, stream_with_context\nm = joblib.load('a')\n" + ROUTE + "    rows = request.json['x']\n"
    text += "    def lines():\n        for row in rows:\n            yield str(m.predict([row])[0])\n"
    text += f"    return Response({body}, mimetype='text/plain')\n"
    (pipeline,) = studied(tmp_path, text).pipelines
    assert pipeline.response == "stream"


@pytest.mark.parametrize(("told", "kind"), [("Path", "file"), ("Picture", "file"), ("PIL.Image.Image", "file"), ("str", "json")])
def test_a_service_sends_values_of_some_types_as_files(tmp_path: Path, told: str, kind: str) -> None:
    text = f"""
from pathlib import Path
from typing import Annotated
import bentoml
import PIL.Image
from bentoml.validators import ContentType
from ultralytics import YOLO
Picture = Annotated[Path, ContentType("image/*")]
@bentoml.service()
class Boxes:
    def __init__(self):
        self.model = YOLO("a.pt")
    @bentoml.api
    def draw(self, picture: Picture) -> {told}:
        target = picture.parent.joinpath("drawn.png")
        self.model.predict(picture)[0].save(str(target))
        return target
"""
    (pipeline,) = studied(tmp_path, text).pipelines
    assert pipeline.response == kind


def test_a_media_type_put_together_says_the_kind_by_its_beginning(tmp_path: Path) -> None:
    text = "from flask import Response\nm = joblib.load('a')\n" + ROUTE + "    kind = request.args['kind']\n"
    text += "    return Response(m.predict(request.json['x']).tobytes(), mimetype=f'image/{kind}')\n"
    (pipeline,) = studied(tmp_path, text).pipelines
    assert pipeline.response == "file"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("json.dumps({'y': y})", "json"),
        ("str(y)", "text"),
        ("f'<b>{y}</b>'", "html"),
        ("f'<b>{y}</b>', mimetype='application/json'", "json"),
        ("told(y)", "stream"),
    ],
)
def test_a_response_without_a_media_type_is_of_the_kind_of_its_body(tmp_path: Path, body: str, kind: str) -> None:
    text = (
        "import json\nfrom flask import Response\nm = joblib.load('a')\ndef told(y):\n    yield str(y)\n"
        + ROUTE
        + "    y = m.predict(request.json['x'])[0].item()\n"
    )
    (pipeline,) = studied(tmp_path, text + f"    return Response({body})\n").pipelines
    assert pipeline.response == kind


def test_a_wrapped_answer_is_of_the_kind_of_its_body(tmp_path: Path) -> None:
    text = (
        "from flask import make_response\nm = joblib.load('a')\n" + ROUTE + "    if not request.is_json:\n        return 'no json', 400\n"
    )
    text += "    answer = make_response(jsonify(m.predict(request.json['x']).tolist()), 200)\n    return answer\n"
    (pipeline,) = studied(tmp_path, text).pipelines
    assert pipeline.response == "json"


@pytest.mark.parametrize("made", ["Queue().enqueue(print, 1)", "Celery().send_task('score', [1])"])
def test_the_id_of_a_job_is_answered_as_text(tmp_path: Path, made: str) -> None:
    text = "from celery import Celery\nfrom rq import Queue\nm = joblib.load('a')\n" + ROUTE
    text += "    if not request.json:\n        return jsonify(error='empty'), 400\n"
    text += f"    m.predict(request.json['x'])\n    job = {made}\n    return job.id, 202\n"
    (pipeline,) = (p for p in studied(tmp_path, text).pipelines if p.sites)
    assert pipeline.response == "text"


@pytest.mark.parametrize(
    ("given", "sites"),
    [
        ("    if n.model is None:\n        n.train()\n", 1),
        ("    n.ready()\n", 1),
        ("    n.train()\n", 0),
        ("    if request.json:\n        n.train()\n        print(n.of(1))\n    return ''\n", 0),
    ],
)
def test_what_may_have_been_fitted_before_serves(tmp_path: Path, given: str, sites: int) -> None:
    text = "from sklearn.neighbors import NearestNeighbors\nclass N:\n    def __init__(self):\n        self.model = None\n"
    text += "    def train(self):\n        self.model = NearestNeighbors()\n        self.model.fit(np.eye(3))\n"
    text += "    def ready(self):\n        if self.model is not None:\n            return\n        self.train()\n"
    text += "    def of(self, row):\n        return self.model.kneighbors([row])\nn = N()\n"
    (pipeline,) = studied(tmp_path, text + ROUTE + given + "    return jsonify(n.of(request.json)[1].tolist())\n").pipelines
    assert len(pipeline.sites) == sites


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("PlainTextResponse", "text"),
        ("HTMLResponse", "html"),
        ("Table", "file"),
        ("Events", "stream"),
    ],
)
def test_a_plain_answer_is_of_the_kind_of_the_response_class(tmp_path: Path, declared: str, kind: str) -> None:
    text = (
        "import joblib\nfrom fastapi import FastAPI, Response\nfrom fastapi.responses import HTMLResponse, PlainTextResponse\n"
        "class Table(Response):\n    media_type = 'text/csv'\nclass Events(Response):\n    media_type = 'text/event-stream'\n"
        f"app = FastAPI()\nm = joblib.load('a')\n@app.get('/p', response_class={declared})\ndef p(x: float):\n"
        "    return ','.join(m.predict([[x]]))\n"
    )
    (tmp_path / "app.py").write_text(text)
    (pipeline,) = study(tmp_path).pipelines
    assert pipeline.response == kind


def test_bytes_answered_as_they_are_make_a_file(tmp_path: Path) -> None:
    text = "import io\nm = joblib.load('a')\n" + ROUTE + "    out = io.BytesIO()\n    out.write(m.predict(request.json['x'])[0])\n"
    (pipeline,) = studied(tmp_path, text + "    return out.getvalue()\n").pipelines
    assert pipeline.response == "file"


BY_TASK = """
from flask import Flask, jsonify, request
import joblib
app = Flask(__name__)
m = joblib.load('a')
def row(task):
    if task == 'draw':
        return [request.form['width']]
    elif not task == 'paint':
        return [request.form['other']]
    return [request.form['strength']]
def run(task, image=None, *, twice=False):
    given = [] if image is None else [image]
    if image is not None and twice:
        given.append(request.form['again'])
    return jsonify(m.predict([given + row(task)]).tolist())
def rows(task):
    return [row(task) for task in request.form['tasks']]
def changed(task):
    task = request.form['task']
    return row(task)
@app.post('/p')
def p():
"""


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        ("return run('draw')", {"width", "strength"}),
        ("return run(task='paint')", {"strength"}),
        ("return run('paint', request.form['image'])", {"strength", "image"}),
        ("return run('paint', request.form['image'], twice=True)", {"strength", "image", "again"}),
        ("return run(**{'task': 'paint'})", {"width", "other", "strength", "again"}),
        ("return run(request.form['task'])", {"task", "width", "other", "strength"}),
        ("return jsonify(m.predict(rows('draw')).tolist())", {"tasks", "width", "other", "strength"}),
        ("return jsonify(m.predict([changed('draw')]).tolist())", {"task", "width", "other", "strength"}),
    ],
)
def test_only_the_arm_that_a_constant_argument_decides_is_walked(tmp_path: Path, body: str, inputs: set[str]) -> None:
    (tmp_path / "app.py").write_text(f"{BY_TASK}    {body}\n")
    (pipeline,) = study(tmp_path).pipelines
    assert {i.name for i in pipeline.inputs} == inputs


def test_entries_that_share_a_function_each_have_their_own_inputs(tmp_path: Path) -> None:
    text = "m = joblib.load('a')\nseen = {}\ndef run(rows):\n    seen['last'] = rows\n    return m.predict(np.array(rows)).tolist()\n"
    text += "@app.post('/a')\ndef a():\n    return jsonify(run(request.json['first']))\n"
    text += "@app.post('/b')\ndef b():\n    return jsonify(run(request.form['second']))\n"
    pipelines = studied(tmp_path, text).pipelines
    assert [[(i.source, i.name) for i in p.inputs] for p in pipelines] == [[("json", "first")], [("form", "second")]]
    for pipeline, source in zip(pipelines, ("json", "form"), strict=True):
        (site,) = pipeline.sites
        assert {origin.source for origin in site.taint.of(InputOrigin) if origin.name} == {source}
