"""Tasks that a queue chains become one task whose stages Triton wires, where the queue does nothing else for them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from triton_migrate import api
from triton_migrate.plan.staged.workflows import joined
from triton_migrate.study import study

TASKS = """
import numpy as np
import torch
from celery import Celery

app = Celery("jobs", broker="redis://localhost/0", backend="redis://localhost/0")
net = torch.jit.load("net.pt")

@app.task{prepare}
def prepare(values, scale=1.0):
    return (np.array([values], dtype=np.float32) * scale).tolist()

@app.task{infer}
def infer(rows):
    with torch.no_grad():
        return net(torch.tensor(rows)).numpy().tolist()

@app.task(name="jobs.label")
def label(scores, k, names=None):
    return sorted(scores[0])[:k]
"""
ROUTE = """
from celery import chain, chord, group
from flask import Flask, jsonify, request
import tasks
from tasks import app as queue
from tasks import (
    infer,
    label,
    prepare,
)

web = Flask(__name__)

@web.post("/jobs")
def submit():
    body = request.get_json()
{body}
    return jsonify(id=job.id)
"""


def application(folder: Path, body: str, prepare: str = "", infer: str = "") -> Path:
    (folder / "tasks.py").write_text(TASKS.format(prepare=prepare, infer=infer))
    (folder / "web.py").write_text(ROUTE.format(body=textwrap.indent(body, "    ")))
    return folder


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ('job = chain(prepare.s(body["v"]), infer.s(), label.s(3))()', 'job = prepare_infer_label.delay(body["v"], 3)'),
        (
            'job = (prepare.s(body["v"], scale=2.0) | infer.s() | label.s(k=3)).apply_async(countdown=5)',
            'job = (prepare_infer_label.s(body["v"], 2.0, 3)).apply_async(countdown=5)',
        ),
        (
            'work = chain([tasks.prepare.s(body["v"]), tasks.infer.s(), tasks.label.s(1)])\njob = work.delay()',
            'work = tasks.prepare_infer_label.s(body["v"], 1)\n    job = work.delay()',
        ),
        ('work = prepare.s(body["v"]) | infer.s() | label.s(1)\njob = work()', "job = work.delay()"),
    ],
    ids=["chain", "pipe", "list", "held"],
)
def test_a_chain_is_one_task(body: str, made: str, tmp_path: Path) -> None:
    texts = joined(study(application(tmp_path, body)))
    assert made in texts["web.py"]
    assert ("\nfrom tasks import prepare_infer_label\n" in texts["web.py"]) is ("tasks.prepare" not in body)
    given = "values, scale, k" if "scale" in body else "values, k"
    first = "values, scale" if "scale" in body else "values"
    end = f"""

@app.task
def prepare_infer_label({given}):
    \"\"\"prepare, infer and label, one after the other.\"\"\"
    rows = prepare({first})
    scores = infer(rows)
    return label(scores, k)
"""
    assert texts["tasks.py"].endswith(end)
    compile(texts["web.py"], "web.py", "exec")


@pytest.mark.parametrize(
    ("body", "prepare", "infer"),
    [
        ('job = chain(prepare.s(body["v"]), infer.s())()', "(max_retries=3)", ""),
        ('job = chain(prepare.s(body["v"]), infer.s())()', "", '(queue="gpu")'),
        ('job = chain(prepare.s(body["v"]), infer.si([[1.0]]))()', "", ""),
        ('job = chain(prepare.s(body["v"]), infer.s())()\nfirst = job.parent.id', "", ""),
        ('job = chord([infer.s([v]) for v in body["v"]])(label.s(1))', "", ""),
        ('job = group(chain(prepare.s(v), infer.s()) for v in body["v"])()', "", ""),
        ('job = chain(*[prepare.s(body["v"]), infer.s()])()', "", ""),
    ],
    ids=["retries", "queue", "immutable", "middle", "chord", "group", "starred"],
)
def test_what_the_queue_does_besides_keeps_it_a_chain(body: str, prepare: str, infer: str, tmp_path: Path) -> None:
    assert joined(study(application(tmp_path, body, prepare, infer))) == {}


def test_the_port_is_told_from_the_files_as_they_are(tmp_path: Path) -> None:
    app = application(tmp_path, 'job = chain(prepare.s(body["v"]), infer.s(), label.s(3))()')
    report = api.apply(app, out=tmp_path / "out", write=True)
    assert report["not_ported"] == []
    assert "import torch" not in (app / "tasks.py").read_text()
    (ensemble,) = (row for row in report["served_models"] if row["backend"] == "ensemble")
    assert ensemble["name"] == "prepare_infer_label"
    assert {c["file"] for c in report["changes"] if c["kind"] == "edit"} == {"tasks.py", "web.py"}
    assert api.apply(app, out=tmp_path / "again", write=True)["changes"] == []
