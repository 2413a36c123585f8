"""Findings for machines: SARIF that its schema accepts, a baseline that leaves out what was there, comments that suppress."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from test_report import NAMES, poisoned, sample
from typer.testing import CliRunner

from triton_migrate import api
from triton_migrate.base import TritonMigrateError
from triton_migrate.cli import cli
from triton_migrate.report import json as report_json
from triton_migrate.report import sarif
from triton_migrate.report.baseline import READ, compared, keys_of
from triton_migrate.report.findings import findings
from triton_migrate.report.suppress import suppressions

APP = """import pickle
from flask import Flask, jsonify, request

app = Flask(__name__)
model = pickle.load(open("model.pkl", "rb"))


def read(values):
    return [[float(v) * 2 for v in values]]


@app.post("/predict")
def predict():
    row = read(request.get_json()["row"])
    return jsonify(answer=model.predict(row).tolist())
"""


@cache
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text("utf-8")))


def checked(text: str) -> dict[str, Any]:
    log = json.loads(text)
    validator().validate(log)
    (run,) = log["runs"]
    return run


def app(folder: Path, text: str = APP) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(text)
    return folder


def scan(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["scan", *map(str, arguments), "--no-cache", "--jobs", "1"])
    return done.exit_code, done.output


# ---------------------------------------------------------------- SARIF


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_accepts_what_is_written(name: str) -> None:
    for report in (sample(name), poisoned(name)):
        run = checked(sarif.dumps(report))
        assert [result["ruleId"] for result in run["results"]] == [finding.rule for finding in findings(report)]
        assert all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
        assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(report["files"]["failed"] + report["files"]["skipped"])
        prints = [result["partialFingerprints"]["finding/v1"] for result in run["results"]]
        assert len(set(prints)) == len({finding.key for finding in findings(report)})


def test_a_pipeline_says_what_decided_it_and_how_far_its_port_is_proven() -> None:
    run = checked(sarif.dumps(sample("fastapi_images")))
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("loose", "note")
    assert first["message"]["text"].startswith("POST /v1/classify is loose (tangled pipeline")
    assert first["properties"]["status"] == "ported"
    assert first["properties"]["proof"] in ("compiled", "loaded", "parity", "faster")
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] > 1
    assert all(place["message"]["text"] for place in first["relatedLocations"])
    (differs, _) = [result for result in run["results"] if result["ruleId"] == "reply-differs"]
    assert (differs["level"], "inline-truncated" in differs["message"]["text"]) == ("error", True)
    blocked = [r["message"]["text"] for r in checked(sarif.dumps(sample("support_desk")))["results"] if r["ruleId"] == "blocked"]
    assert any("the open session" in text for text in blocked)


def test_scan_writes_it_when_asked_and_verify_keeps_it_fresh(tmp_path: Path) -> None:
    root, out = app(tmp_path / "app"), tmp_path / "out"
    assert scan(root, "--out", out)[0] == 0
    assert not (out / "report.sarif").exists()
    assert scan(root, "--out", out, "--sarif")[0] == 0
    before = checked((out / "report.sarif").read_text())
    assert {r["ruleId"] for r in before["results"]} >= {"loose"}
    api.apply(root, out=out)
    after = checked((out / "report.sarif").read_text())
    assert after["results"][0]["properties"] == {**before["results"][0]["properties"], "status": "ported", "proof": "compiled"}


# ---------------------------------------------------------------- baseline


def test_only_what_is_new_is_told_and_fails(tmp_path: Path) -> None:
    root, out = app(tmp_path / "app"), tmp_path / "out"
    assert scan(root, "--out", out, "--fail-on", "all")[0] == 1
    baseline = tmp_path / "baseline.json"
    (out / "report.json").rename(baseline)
    app(root, "# a line above moves every other\n" + APP)
    code, text = scan(root, "--out", out, "--baseline", baseline, "--fail-on", "all", "--sarif")
    assert (code, "0 new since the baseline" in text) == (0, True)
    assert {r["baselineState"] for r in checked((out / "report.sarif").read_text())["results"]} == {"unchanged"}
    app(root, APP + '\n\n@app.post("/again")\ndef again():\n    return str(model.predict(read(request.json)))\n')
    code, text = scan(root, "--out", out, "--baseline", baseline, "--fail-on", "loose", "--sarif")
    assert code == 1
    assert "main.py:19: loose: POST /again is loose" in text
    assert "/predict" not in text
    assert {r["ruleId"]: r["baselineState"] for r in checked((out / "report.sarif").read_text())["results"]}["loose"] == "new"
    code, text = scan(app(root), "--out", out, "--baseline", out / "report.json")
    assert "0 new since the baseline" in text
    assert " 0 gone" not in text
    assert scan(root, "--out", out, "--baseline", tmp_path / "gone.json")[0] != 0


def test_without_a_baseline_all_is_new() -> None:
    report = sample("support_desk")
    since = compared(report, None)
    assert (since.new, since.stayed, since.gone) == (findings(report), 0, 0)
    assert compared(report, frozenset(f.key for f in findings(report))).new == ()


def test_a_category_is_the_same_finding_whatever_it_costs(tmp_path: Path) -> None:
    report = sample("flask_iris_form")
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    row = next(endpoint for endpoint in report["endpoints"] if endpoint["inference"])
    row["effort"] = {"points": 7, "why": "it has grown"}
    row["line"] += 10
    assert compared(report, keys_of(path)).new == ()
    row["category"] = "tight"
    assert [finding.rule for finding in compared(report, keys_of(path)).new] == ["tight"]


def of_another_version(value: Any) -> Any:
    """What another version may have written: without the keys that a baseline does not need, with some that this version does not know."""
    match value:
        case dict():
            return {"new_in_another": {"version": 9}, **{key: of_another_version(item) for key, item in value.items() if key in READ}}
        case list():
            return [of_another_version(item) for item in value]
        case _:
            return value


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_of_another_version_needs_only_what_is_read(name: str, tmp_path: Path) -> None:
    report, path = sample(name), tmp_path / "report.json"
    path.write_text(json.dumps(of_another_version(report)))
    assert compared(report, keys_of(path)).new == ()
    with pytest.raises(TritonMigrateError):
        report_json.read(path)
    path.write_text(json.dumps({key: value for key, value in report.items() if key != "suppressions"}))
    assert keys_of(path) == {finding.key for finding in findings(report)}


@pytest.mark.parametrize("missing", ["endpoints", "id", "evidence", "inference", "served_models"])
def test_a_baseline_that_lacks_what_is_read_is_refused_with_the_next_step(missing: str, tmp_path: Path) -> None:
    def without(value: Any) -> Any:
        match value:
            case dict():
                return {key: without(item) for key, item in value.items() if key != missing}
            case list():
                return [without(item) for item in value]
            case _:
                return value

    path = tmp_path / "old.json"
    path.write_text(json.dumps(without(sample("support_desk"))))
    with pytest.raises(TritonMigrateError, match=f"'{missing}' is a required property") as refused:
        keys_of(path)
    assert (refused.value.file, refused.value.hint) == (str(path), report_json.SCAN_AGAIN)


# ---------------------------------------------------------------- comments


def test_comments_are_found_where_they_speak() -> None:
    text = b"""x = "# triton-migrate: ignore[loose] no comment"
a = 1  # triton-migrate: ignore[tight, blocked]  known since May
# triton-migrate: ignore[loose] planned

@route("/a")
@other(1)
async def f():  # triton-migrate: ignore[batch-loop]
    pass
# triton-migrate: ignore[]
b = 1
"""
    found = suppressions({"b.py": text.splitlines(keepends=True), "a.py": [b"x = 1\n"]})
    assert [(s.line, s.rule, s.reason) for s in found] == [
        (2, "tight", "known since May"),
        (2, "blocked", "known since May"),
        (7, "loose", "planned"),
        (7, "batch-loop", ""),
    ]
    assert suppressions({"broken.py": [b"# triton-migrate: ignore[a]\n", b"def (:\n", b"  '''"]}) == ()


def test_what_a_comment_suppresses_does_not_fail_and_what_it_does_not_is_told(tmp_path: Path) -> None:
    asked = "# triton-migrate: ignore[loose] goes with the old site\n# triton-migrate: ignore[tight]\n"
    root, out = app(tmp_path / "app", APP.replace("@app.post", asked + "@app.post")), tmp_path / "out"
    code, text = scan(root, "--out", out, "--fail-on", "all", "--sarif")
    assert code == 0
    assert "1 finding suppressed by comments" in text
    assert "main.py:15: ignore[tight] suppresses nothing" in text
    results = checked((out / "report.sarif").read_text())["results"]
    (hidden,) = [r for r in results if r["ruleId"] == "loose"]
    assert hidden["suppressions"] == [{"kind": "inSource", "justification": "goes with the old site"}]
    (unused,) = [r for r in results if r["ruleId"] == "unused-suppression"]
    assert (unused["level"], unused["message"]["text"]) == ("warning", "nothing here is found by tight: remove the comment")
    assert "goes with the old site" in (out / "report.html").read_text()
