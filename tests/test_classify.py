"""The rules of CATEGORIES.md, one small application for each sentence, and a near miss that must not be judged so.

`categories/` holds them: the first line of each says what the last of its routes that runs a model is ("T1: history.", "flag reload.",
"no flag reload.").
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from triton_migrate import api
from triton_migrate.classify import Verdict, application_category
from triton_migrate.report import json as report_json
from triton_migrate.report.document import Report
from triton_migrate.study import Study, study

CASES = Path(__file__).parent / "categories"
RULES = ("T1", "T2", "T3", "I1", "M1a", "M1b", "M1c", "loose")
FLAGS = (
    "auth", "batch-loop", "bootstrap-fit", "client-keyed-blob", "db-write-after", "dispatch", "dynamic-models", "early-exit",
    "external-fetch", "fused", "idle-unload", "job-status", "lazy-load", "live-source", "metrics", "not-re-entrant", "optional-output",
    "own-module-class", "queue-transport", "quota", "read-after", "reload", "result-cache",
)  # fmt: skip


def said(case: Path) -> str:
    """The first line of a case, without quotes and full stop."""
    return case.read_text("utf-8").partition("\n")[0].strip('".')


def cases(*kinds: str) -> list[str]:
    return sorted(case.stem for case in CASES.glob("*.py") if said(case).partition(":")[0] in kinds)


def studied(folder: Path, *names: str) -> Study:
    for name in names:
        shutil.copy(CASES / f"{name}.py", folder / f"{name}.py")
    return study(folder)


def judged(folder: Path, name: str) -> Verdict:
    found = [v for v in studied(folder, name).verdicts if v is not None]
    assert found, "no model is reached"
    return found[-1]


def shown(verdict: Verdict) -> list[str]:
    return [f"{e.rule}: {e.message} ({e.span.place})" for e in verdict.evidence]


@pytest.mark.parametrize("name", cases(*RULES))
def test_category(tmp_path: Path, name: str) -> None:
    verdict = judged(tmp_path, name)
    assert verdict.rule == said(CASES / f"{name}.py").partition(":")[0], shown(verdict)
    assert verdict.evidence
    lines = (tmp_path / f"{name}.py").read_text("utf-8").splitlines()
    assert all(lines[e.span.line - 1][e.span.column :].strip() for e in (*verdict.evidence, *verdict.noted)), "it points at code"
    assert verdict.runner_up != verdict.category
    assert 0.3 <= verdict.confidence <= 0.97
    assert verdict.effort in (0, 1, 3, 5, 7, 13)
    assert (verdict.looser_if is not None) == (verdict.category in ("tight", "loose"))


@pytest.mark.parametrize("flag", FLAGS)
def test_flag_and_its_near_miss(tmp_path: Path, flag: str) -> None:
    name = f"flag_{flag.replace('-', '_')}"
    (tmp_path / "a").mkdir()
    raised = judged(tmp_path / "a", name)
    assert flag in raised.flags
    assert raised.category != "tight", shown(raised)
    assert all(note.message and note.span.line for note in raised.noted)
    (tmp_path / "b").mkdir()
    assert flag not in judged(tmp_path / "b", f"{name}_near_miss").flags


def test_every_case_is_tested() -> None:
    flags = {f"{no}flag {flag}" for flag in FLAGS for no in ("", "no ")}
    assert {said(case) for case in CASES.glob("*.py")} == flags | {said(CASES / f"{name}.py") for name in cases(*RULES)}
    assert {said(CASES / f"{name}.py").partition(":")[0] for name in cases(*RULES)} == set(RULES)


def test_a_check_without_input_is_a_probe(tmp_path: Path) -> None:
    route = '@app.get("/health")\ndef health():\n    return jsonify(model.predict([[0.0]]).tolist())\n'
    (tmp_path / "app.py").write_text((CASES / "loose_scaling.py").read_text() + "\n\n" + route)
    found = study(tmp_path)
    assert [v.probe for v in found.verdicts if v is not None] == [False, True]
    assert application_category(found.pipelines, found.verdicts)[0] == "loose"
    assert [e["category"] for e in api.scan(tmp_path)["endpoints"]] == ["loose", None]


def test_half_tight_is_tight(tmp_path: Path) -> None:
    both = studied(tmp_path, "t1_history", "loose_scaling")
    assert application_category(both.pipelines, both.verdicts)[0] == "tight"
    (one,) = (i for i, v in enumerate(both.verdicts) if v is not None and v.category == "loose")
    assert application_category(both.pipelines[one : one + 1], both.verdicts[one : one + 1])[0] == "loose"
    assert application_category((), ())[0] == "none"


TASK = """
import joblib
from celery import Celery
from flask import Flask, jsonify, request

app, queue, model = Flask(__name__), Celery("work", broker="redis://"), joblib.load("model.pkl")


@queue.task
def score(rows):
    return model.predict(rows).tolist()


@app.post("/p")
def p():
    return jsonify(id=score.delay([[float(v) / 255 for v in request.get_json()]]).id)
"""


def test_a_task_is_judged_with_its_route(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TASK)
    found = study(tmp_path)
    assert [v.category for v in found.verdicts if v is not None] == ["loose", "loose"], "the task alone would be individual"
    assert application_category(found.pipelines, found.verdicts)[0] == "loose"


def test_of_several_the_application_is_the_one_nearer_to_tight(tmp_path: Path) -> None:
    both = studied(tmp_path, "m1c_m1c", "loose_scaling")
    assert sorted(v.category for v in both.verdicts if v is not None) == ["loose", "modular"]
    assert application_category(both.pipelines, both.verdicts)[0] == "loose"


def test_what_tests_replace_is_no_evidence(tmp_path: Path) -> None:
    shutil.copy(CASES / "i1_conversion_only.py", tmp_path / "app.py")
    (tmp_path / "tests").mkdir()
    patch = "import app\n\n\nclass Fake:\n    def predict(self, x):\n        return x * 2\n\n\napp.model = Fake()\n"
    (tmp_path / "tests" / "test_app.py").write_text(patch)
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert verdict.rule == "I1", shown(verdict)
    assert {e.span.file for e in (*verdict.evidence, *verdict.noted)} == {"app.py"}


def reports(folder: Path) -> Iterator[Report]:
    for name in ("m1a_m1a", "t1_history", "loose_fused", "loose_scaling", "t2_trained_saved_loaded"):
        (folder / name).mkdir()
        shutil.copy(CASES / f"{name}.py", folder / name / "app.py")
        yield api.scan(folder / name)


def test_the_report_says_everything_about_a_verdict(tmp_path: Path) -> None:
    for report in reports(tmp_path):
        report_json.validate(report)
        lines = Path(report["root"], "app.py").read_text().splitlines()
        endpoint = next(e for e in report["endpoints"] if e["path"] == "/p")
        assert endpoint["evidence"]
        for evidence in endpoint["evidence"]:
            assert evidence["snippet"].splitlines()[0] == lines[evidence["line"] - 1], "the snippet is the file's line"
            assert evidence["message"]
        assert len(endpoint["features"]) == 11
        assert all(f["setting"] for f in endpoint["features"] if f["status"] != "not-applicable")
        assert endpoint["effort"] is not None
        assert endpoint["effort"]["why"]
        assert all(blocker["fix"] for blocker in endpoint["blockers"])
        assert all(model["export_why"] for model in report["models"])
        routes = {model["framework"]: model["export_route"] for model in report["models"]}
        assert routes.get("transformers", "needs a split") == "needs a split"
        assert routes.get("sklearn", "skl2onnx.to_onnx") == "skl2onnx.to_onnx"


STARTS = """
import os
import subprocess

import joblib
from flask import Flask, jsonify, request

app, model = Flask(__name__), joblib.load("model.pkl")


@app.post("/p")
def p():
    return jsonify(model.predict(request.get_json()).tolist())


@app.post("/retrain")
def retrain():
    subprocess.run(["python", "jobs/train.py"], check=True)
    return "done"
"""
TRAINS = """
import joblib
from sklearn.linear_model import LinearRegression

if __name__ == "__main__":
    joblib.dump(LinearRegression().fit([[1]], [1]), "{saved}")
"""


@pytest.mark.parametrize(("saved", "rule"), [("model.pkl", "T2"), ("another.pkl", "I1")])
def test_a_script_that_an_entry_starts_trains(tmp_path: Path, saved: str, rule: str) -> None:
    (tmp_path / "app.py").write_text(STARTS)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "train.py").write_text(TRAINS.format(saved=saved))
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert verdict.rule == rule, shown(verdict)
    if rule == "T2":
        assert [(e.span.file, e.span.line) for e in verdict.evidence] == [("app.py", 18), ("jobs/train.py", 6), ("app.py", 13)]


LEARNS = """
import joblib
from sklearn.linear_model import LinearRegression


def save(rows, values):
    joblib.dump(LinearRegression().fit(rows, values), "model.pkl")


def load():
    return joblib.load("model.pkl")
"""
SERVES = """
from flask import Flask, jsonify, request
from learning import load
{imported}
app, model = Flask(__name__), load()


@app.post("/p")
def p():
    return jsonify(model.predict(request.get_json()).tolist())
"""


@pytest.mark.parametrize(("imported", "rule"), [("", "I1"), ("import train", "T2")])
def test_a_script_without_a_main_part_trains_what_the_application_loads(tmp_path: Path, imported: str, rule: str) -> None:
    (tmp_path / "app.py").write_text(SERVES.format(imported=imported))
    (tmp_path / "learning.py").write_text(LEARNS)
    (tmp_path / "train.py").write_text("from learning import save\n\nsave([[1]], [1])\n")
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert verdict.rule == rule, shown(verdict)


FASTAPI = """
from typing import Annotated

import joblib
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Security
from fastapi.security import APIKeyHeader, HTTPBasic, OAuth2PasswordBearer

model, oauth, basic = joblib.load("model.pkl"), OAuth2PasswordBearer(tokenUrl="login"), HTTPBasic()


def decoded(token, error):
    if token != "t":
        raise error
    return token


def current_user(token: str = Depends(oauth)):
    return decoded(token, HTTPException(status_code=401))


def checked(x_key: str = Header()):
    if x_key != "k":
        raise HTTPException(status_code=403)


def rows(body: dict):
    return body["rows"]


User = Annotated[str, Depends(current_user)]
app, closed, router = FastAPI(), APIRouter(dependencies=[Depends(checked)]), APIRouter()


{route}
    return model.predict(body["rows"]).tolist()


app.include_router(router)
app.include_router(closed)
"""


@pytest.mark.parametrize(
    ("route", "guarded"),
    [
        ("@router.post('/p')\ndef p(body: dict, user: str = Depends(current_user)):", True),
        ("@router.post('/p')\ndef p(body: dict, user: User):", True),
        ("@router.post('/p')\ndef p(body: dict, user=Depends(basic)):", True),
        ("@router.post('/p')\ndef p(body: dict, key: str = Security(APIKeyHeader(name='X'))):", True),
        ("@router.post('/p', dependencies=[Depends(checked)])\ndef p(body: dict):", True),
        ("@closed.post('/p')\ndef p(body: dict):", True),
        ("@router.post('/p')\ndef p(body: dict, key: str):\n    if key != 'k':\n        raise HTTPException(403)", True),
        ("@router.post('/p')\ndef p(body: dict, asked=Depends(rows)):", False),
        ("@router.post('/p')\ndef p(body: dict, key: str):\n    if key != 'k':\n        raise HTTPException(404)", False),
    ],
)
def test_who_asks_is_checked(tmp_path: Path, route: str, guarded: bool) -> None:
    (tmp_path / "app.py").write_text(FASTAPI.format(route=route))
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert ("auth" in verdict.flags) == guarded


FLASK = """
import functools
import joblib
from flask import Flask, abort, jsonify, request
from flask_httpauth import HTTPBasicAuth
from flask_jwt_extended import jwt_required
from flask_login import login_required
from django.contrib.auth.decorators import login_required as of_django

app, model, auth = Flask(__name__), joblib.load("model.pkl"), HTTPBasicAuth()


def keyed(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        if request.headers.get("X-Key") != "k":
            return jsonify(error="who are you?"), 401
        return view(*args, **kwargs)
    return inner


def timed(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs)
    return inner

{before}

@app.post("/p")
{guard}
def p():
    return jsonify(model.predict(request.get_json()).tolist())
"""


@pytest.mark.parametrize(
    ("guard", "before", "guarded"),
    [
        ("@login_required", "", True),
        ("@jwt_required()", "", True),
        ("@auth.login_required", "", True),
        ("@of_django", "", True),
        ("@keyed", "", True),
        ("", "@app.before_request\ndef check():\n    if 'X-Key' not in request.headers:\n        abort(401)\n", True),
        ("@timed", "", False),
        ("", "@app.before_request\ndef check():\n    if not request.is_json:\n        abort(415)\n", False),
    ],
)
def test_a_decorator_or_a_hook_checks_who_asks(tmp_path: Path, guard: str, before: str, guarded: bool) -> None:
    (tmp_path / "app.py").write_text(FLASK.format(guard=guard, before=before))
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert ("auth" in verdict.flags) == guarded


VIEWS = """
import joblib
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

model = joblib.load("model.pkl")


class Predict(APIView):
    permission_classes = [{permission}]

    def post(self, request):
        return Response(model.predict(request.data["rows"]).tolist())
"""


@pytest.mark.parametrize(("permission", "guarded"), [("IsAuthenticated", True), ("AllowAny", False)])
def test_a_permission_class_checks_who_asks(tmp_path: Path, permission: str, guarded: bool) -> None:
    (tmp_path / "settings.py").write_text("ROOT_URLCONF = 'urls'\n")
    (tmp_path / "urls.py").write_text(
        "from django.urls import path\nfrom views import Predict\nurlpatterns = [path('p', Predict.as_view())]\n"
    )
    (tmp_path / "views.py").write_text(VIEWS.format(permission=permission))
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert ("auth" in verdict.flags) == guarded


SCALED = """
import joblib
from flask import Flask, jsonify, request
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

app, scaler, model = Flask(__name__), joblib.load("scaler.pkl"), joblib.load("model.pkl")


@app.post("/train")
def train():
    fresh, line = StandardScaler(), LinearRegression()
    x = fresh.fit_transform(request.get_json()["x"])
    line.fit(x, request.get_json()["y"])
    joblib.dump(fresh, "scaler.pkl")
    joblib.dump(line, "model.pkl")
    return "done"


@app.post("/p")
def p():
    return jsonify(model.predict(scaler.transform(request.get_json())).tolist())
"""


def test_the_training_shown_is_that_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCALED)
    (verdict,) = (v for v in study(tmp_path).verdicts if v is not None)
    assert verdict.rule == "T2"
    assert [e.span.line for e in verdict.evidence] == [14, 16, 22], shown(verdict)


CAMERA = """
import cv2
import joblib

model = joblib.load("model.pkl")


def watch():
    camera = cv2.VideoCapture(0)
    while True:
        seen, frame = camera.read()
        if not seen:
            break
        kind = model.predict([cv2.resize(frame, (8, 8)).flatten()])[0]
        yield f"saw {kind}\\n"
"""


def test_a_loop_that_nobody_asks_is_individual(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(CAMERA + "\n\nfor line in watch():\n    print(line)\n")
    report = api.scan(tmp_path)
    assert [(c["line"], c["category"], c["rule"]) for c in report["consumers"]] == [(8, "individual", "I2")]
    assert report["app_category"] == "individual"
    assert report["endpoints"] == []


def test_the_same_loop_behind_a_route_is_not(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(CAMERA)
    route = "@app.get('/')\ndef feed():\n    return Response(watch(), mimetype='text/event-stream')\n"
    (tmp_path / "app.py").write_text("from flask import Flask, Response\nfrom watch import watch\napp = Flask(__name__)\n\n" + route)
    report = api.scan(tmp_path)
    assert report["consumers"] == []
    assert [(e["rule"], e["response"], "live-source" in e["flags"]) for e in report["endpoints"]] == [("loose", "stream", True)]
