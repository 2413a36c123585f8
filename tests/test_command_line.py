"""An application that is told on its command line which model to load: Triton is told by APP_ARGUMENTS, the application no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from triton_migrate import api
from triton_migrate.verify.run import verify_port
from triton_migrate.verify.start import Application

MODELS = """\
import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

data = load_iris()
for name, shift in (("first", 0), ("second", 1)):
    joblib.dump(LogisticRegression(max_iter=500).fit(data.data, (data.target + shift) % 3), f"{name}.joblib")
"""
APP = """\
import argparse

import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/predict")
def predict():
    rows = request.get_json()["rows"]
    if not rows:
        return jsonify(error="no rows"), 400
    scores = model.predict_proba(rows)
    best = scores.argmax(axis=1)
    return jsonify([{"kind": int(i), "sure": round(float(row[i]), 4)} for i, row in zip(best, scores)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="serves a model")
    parser.add_argument("--port", default=5000, type=int, help="port number")
    parser.add_argument("--model-name", "-m", default="first", help="model to serve")
    args = parser.parse_args()

    model = joblib.load(f"{args.model_name}.joblib")
    app.run(host="127.0.0.1", port=args.port)
"""
ASKED = """\
import json, sys
sys.path.insert(0, "triton_serving/model_repository/model/1")
import pipeline
pipeline.load()
print(json.dumps(int(pipeline.model.predict([[5.1, 3.5, 1.4, 0.2]])[0])))
"""


def ported(tmp_path: Path, name: str, app: str = APP) -> tuple[Path, list[str]]:
    root = tmp_path / name
    root.mkdir()
    (root / "app.py").write_text(app)
    subprocess.run([sys.executable, "-c", MODELS], cwd=root, check=True)
    report = api.apply(root, exports="none", write=name != "original")
    return root, [e["reason"] for e in report["not_ported"]]


@pytest.mark.triton
def test_the_model_of_the_default_answers_as_before(tmp_path: Path) -> None:
    original, port = ported(tmp_path, "original")[0], ported(tmp_path, "port")[0]
    bodies = [{"rows": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]}, {"rows": []}, {"rows": [[1.0]]}, {"rows": "none"}, {}]
    requests = tmp_path / "requests.jsonl"
    asked = [{"id": f"r{i}", "method": "POST", "path": "/predict", "json": body, "infer": i == 0} for i, body in enumerate(bodies)]
    requests.write_text("\n".join(map(json.dumps, (each | ({"expect_status": 500} if i > 1 else {}) for i, each in enumerate(asked)))))
    application = Application("flask", "app:app", "wsgi", script="app.py")
    found = verify_port(original, port, application, requests, python=Path(sys.executable), say=print)
    assert [(result.id, str(d)) for result in found.requests for d in result.differences] == []
    assert found.passed and len(found.requests) == 5


def test_the_environment_chooses_and_the_application_refuses_the_option(tmp_path: Path) -> None:
    port, reasons = ported(tmp_path, "port")
    assert reasons == []
    told = (("", 0), ("--model-name second", 1), ("-m second --port 7000", 1))
    for arguments, kind in told:
        run = subprocess.run(
            [sys.executable, "-c", ASKED], cwd=port, env={**os.environ, "APP_ARGUMENTS": arguments}, check=True, capture_output=True
        )
        assert json.loads(run.stdout) == kind
    refused = subprocess.run([sys.executable, "app.py", "--model-name", "second"], cwd=port, capture_output=True, text=True)
    assert refused.returncode == 2 and "unrecognized arguments: --model-name second" in refused.stderr
    assert "APP_ARGUMENTS" in (port / "triton_serving/README.md").read_text()


CHANGES = {
    "needed": ('"-m", default="first"', '"-m", required=True'),
    "a place": ('"--model-name", "-m", default="first"', '"model_name"'),
    "read twice": ("port=args.port)", "port=args.port, debug=args.model_name)"),
    "given away": ("    model = joblib", "    print(vars(args))\n    model = joblib"),
    "known ones": ("args = parser.parse_args()", "args, _ = parser.parse_known_args()"),
    "written out": ('joblib.load(f"{args.model_name}.joblib")', "joblib.load(sys.argv[1])"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_command_line_that_others_read_stays(tmp_path: Path, change: str) -> None:
    changed = APP.replace(*CHANGES[change]).replace("import argparse\n", "import argparse\nimport sys\n")
    assert changed.replace("import sys\n", "") != APP
    assert ported(tmp_path, "port", changed)[1] == ["the model is made from arguments of the command line"]
