"""The report room: one document, a strict schema, and a page that shows hostile text without obeying it.

The documents in `reports/` are examples written by hand: their findings fit real code, their figures are made up.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import typing
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fixture_folders import FIXTURES
from pygments.lexers import PythonLexer
from pygments.token import Name
from rich.console import Console

from triton_migrate import api
from triton_migrate.base import TritonMigrateError
from triton_migrate.report import document, proof, verification
from triton_migrate.report import json as report_json
from triton_migrate.report.page import code, diagram, diff, evidence, html, order, targets
from triton_migrate.report.page.python import Python
from triton_migrate.report.pipelines import apply_command, headline, pipelines, quiet, totals
from triton_migrate.report.proven import proven
from triton_migrate.report.terminal.explained import explain
from triton_migrate.report.terminal.summaries import apply_summary, scan_summary
from triton_migrate.report.terminal.verified import verify_summary
from triton_migrate.report.visible import shell_word, visible

SAMPLES = sorted((Path(__file__).parent / "reports").glob("*.json"))
NAMES = [path.stem for path in SAMPLES]
HOSTILE = (
    "</script></style></title><script>window.hacked=1</script><img src=https://evil.example/x onerror=window.hacked=2>"
    "\"'` onmouseover=window.hacked=3 {{7*7}} {% raw %} &lt; [red]\u202egnp.exe\u2066\u200b\x1b[31m\x07\udc80 --><!-- " + "x" * 300
)


def sample(name: str) -> document.Report:
    return report_json.read(Path(__file__).parent / "reports" / f"{name}.json")


def closed(shape: Any) -> set[str]:
    """Every word of the schema's enumerations."""
    match shape:
        case {"enum": words}:
            return set(words)
        case dict():
            return set[str]().union(*map(closed, shape.values()))
        case list():
            return set[str]().union(*map(closed, shape))
        case _:
            return set()


def poisoned(name: str) -> document.Report:
    """The sample with hostile text in every string that the schema leaves free."""
    words = closed(report_json.schema())

    def poison(value: Any) -> Any:
        match value:
            case dict():
                return {key: poison(item) for key, item in value.items()}
            case list():
                return [poison(item) for item in value]
            case str() if value not in words:
                return value.replace("\n+", f"\n+{HOSTILE}") + HOSTILE
            case _:
                return value

    return typing.cast("document.Report", poison(sample(name)))


# ---------------------------------------------------------------- document


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_writing_what_was_read_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    report_json.write(report_json.read(path), tmp_path / "new" / "report.json")
    assert (tmp_path / "new" / "report.json").read_bytes() == path.read_bytes()


WORKED = """import joblib
import numpy as np
from celery import Celery

celery = Celery("grades")
model = joblib.load("model.joblib")


@celery.task
def grade(row):
    return int(model.predict(np.array([row]))[0])
"""
NIGHTLY = """import csv
import joblib

judge = joblib.load("judge.joblib")
for row in csv.reader(open("rows.csv")):
    print(judge.predict([[float(cell) for cell in row]])[0])
"""


@pytest.mark.parametrize(("kind", "text"), [("task", WORKED), ("consumer", NIGHTLY)])
def test_tasks_and_loops_are_judged_as_routes_are_and_apply_takes_their_names(kind: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(text)
    (row,) = pipelines(api.scan(tmp_path, out=tmp_path / "out"))
    assert (row.kind, row.status) == (kind, "portable") and row.name != row.entry
    report = api.apply(tmp_path, endpoints=(row.entry,), out=tmp_path / "out")
    (done,) = pipelines(report)
    port = done.found["port"]
    assert port is not None and (port["status"], port["proof"], len(done.served)) == ("ported", "compiled", 1)
    assert row.entry in printed(explain, row.name, report)
    report["verification"] = typing.cast("Any", {"requests": [], "load": None})
    assert [task["port"] and task["port"]["proof"] for task in proven(report)["tasks"]] == ["compiled"] * (kind == "task")


def test_order_without_meaning_does_not_show() -> None:
    straight = sample("support_desk")
    turned = typing.cast("document.Report", dict(reversed(straight.items())))
    for key in ("endpoints", "tasks", "models", "frameworks", "not_ported", "caches"):
        turned[key] = straight[key][::-1]
    turned["files"] = {**straight["files"], "skipped": straight["files"]["skipped"][::-1], "failed": straight["files"]["failed"][::-1]}
    assert report_json.dumps(turned) == report_json.dumps(straight)
    assert html.render(turned) == html.render(straight)
    assert straight == sample("support_desk"), "sorting must not touch what it is given"


def test_lone_surrogates_and_nan_survive_the_file(tmp_path: Path) -> None:
    report = sample("fastapi_images")
    report["root"] = "/srv/\udcff"
    report["verification"]["requests"][7]["differences"][0].update(original=float("nan"), port=[float("-inf")])
    report_json.write(report, tmp_path / "report.json")
    again = report_json.read(tmp_path / "report.json")
    assert again["root"] == "/srv/\udcff"
    assert again["verification"]["requests"][7]["differences"][0] == {"path": "$.detail", "original": "nan", "port": ["-inf"]}
    html.write(again, tmp_path / "report.html")
    assert "[U+DCFF]" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no report here (run `triton-migrate scan` first)"),
        ('{"schema_version": 1,\n "tool": }', "report.json:2: not JSON"),
        ("[]", "schema_version is None, not 1"),
        ('{"schema_version": 2}', "schema_version is 2, not 1"),
        ('{"schema_version": 1}', "is a required property"),
        ("\ufeff{}", "not JSON"),
        ("[" * 100_000, "not"),
    ],
)
def test_a_report_that_cannot_be_used_says_what_to_do(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(TritonMigrateError, match=re.escape(said)) as caught:
        report_json.read(path)
    assert "triton-migrate scan" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda report: report.update(extra=1), "$"),
        (lambda report: report["endpoints"][0].update(colour="red"), "$.endpoints[0]"),
        (lambda report: report["endpoints"][1].update(category="lose"), "$.endpoints[1].category"),
        (lambda report: report["endpoints"][1].update(confidence=1.5), "$.endpoints[1].confidence"),
        (lambda report: report["endpoints"][1]["effort"].update(points=2), "$.endpoints[1].effort.points"),
        (lambda report: report["endpoints"][1].pop("evidence"), "$.endpoints[1]"),
        (lambda report: report["changes"][0].update(line=1), "$.changes[0]"),
        (lambda report: report["verification"]["load"].pop("ratio"), "$.verification.load"),
    ],
)
def test_the_schema_is_strict(change: Any, path: str) -> None:
    report = sample("flask_iris_form")
    report_json.validate(report)
    change(report)
    with pytest.raises(TritonMigrateError, match=re.escape(path)):
        report_json.validate(report)


def test_the_types_and_the_schema_name_the_same_keys() -> None:
    schema = report_json.schema()
    shapes = schema["$defs"]
    verdict = set(shapes["pipeline"]["properties"])
    for name in ("Application", "Blocker", "Change", "Effort", "Evidence", "Feature", "Input", "Load", "LoadFigures", "Model", "NotDone",
                 "NotPorted", "Output", "Port", "ServedModel", "Stage", "Tensor", "Verification", "VerifiedRequest"):  # fmt: skip
        shape = shapes[re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()]
        typed = getattr(document, name, None) or getattr(verification, name)
        assert set(typing.get_type_hints(typed)) == set(shape["properties"]), name
        assert set(shape["required"]) == {key for key in shape["properties"] if key in typed.__required_keys__}, name
    for name in ("Endpoint", "Task", "Consumer"):
        shape = shapes[name.lower()]
        assert set(typing.get_type_hints(getattr(document, name))) == set(shape["properties"]) | verdict, name
    assert set(typing.get_type_hints(document.Report)) == set(schema["properties"])
    assert set(schema["required"]) == document.Report.__required_keys__
    for name, enum in (("Category", "category"), ("DecidedBy", "rule"), ("Proof", "proof"), ("Provenance", "provenance")):
        assert list(typing.get_args(getattr(document, name))) == shapes[enum]["enum"]


# ---------------------------------------------------------------- what page and terminal share


def test_pipelines_and_their_sums() -> None:
    report = sample("support_desk")
    rows = pipelines(report)
    assert [(row.anchor, row.kind, row.entry) for row in rows] == [
        ("p1", "endpoint", "POST /admin/preview"),
        ("p2", "endpoint", "POST /tickets/classify"),
        ("p3", "endpoint", "POST /embed"),
        ("p4", "endpoint", "POST /tickets/{ticket_id}/suggest"),
        ("p5", "task", "task desk.tasks.triage"),
        ("p6", "consumer", "consumer scripts/nightly.py:15"),
    ]
    assert rows[5].found["evidence"] == []
    assert rows[5].status is None
    assert rows[3].not_ported[0]["reason"].startswith("state feeds")
    assert rows[0].frameworks == ("flask", "sklearn")
    sums = totals(rows)
    assert dict(sums.by_category) == {"tight": 1, "loose": 2, "modular": 1, "individual": 2}
    assert dict(sums.by_status) == {"portable": 2, "review": 2, "blocked": 1, "ported": 0}
    assert (sums.points, sums.unjudged) == (15, 1)
    assert [endpoint["id"] for endpoint in quiet(report)] == ["GET,POST /admin/login", "GET /", "GET /health", "WEBSOCKET /live"]
    assert headline(report, rows).startswith("6 of 11 entries run a model. 2 can be ported as they are, 2 can be ported after review")
    assert apply_command(report, rows[3].entry).endswith(
        "apply '/srv/services/support desk' --endpoint 'POST /tickets/{ticket_id}/suggest'"
    )


def test_an_application_without_models() -> None:
    report = sample("flask_iris_form")
    report.update(endpoints=quiet(report), models=[], served_models=[], changes=[], verification=None, app_category="none", app_reasons=[])
    report_json.validate(report)
    assert headline(report, pipelines(report)) == "None of 2 entries runs a model: there is nothing to port."
    page = html.render(report)
    assert "No route, task or script was found that runs a model." in page
    assert 'id="filters"' not in page
    assert "nothing to port" in printed(scan_summary, report)


@pytest.mark.parametrize(
    "text", ["plain", "it's", "a b", "\u202egnp", "tab\there", "line\nbreak", "\\'\u200b", "\x1b[31m$HOME`id`", "ä\u2066"]
)
def test_a_command_that_is_copied_is_the_one_that_is_read(text: str) -> None:
    word = shell_word(text)
    assert visible(word) == word
    shell = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True, timeout=20)
    assert shell.stdout.decode() == text


def test_a_file_name_that_is_not_utf8_reaches_the_shell_as_its_bytes() -> None:
    shell = subprocess.run(["bash", "-c", f"printf %s {shell_word(chr(0xDCFF) + 'é')}"], capture_output=True, check=True, timeout=20)
    assert shell.stdout == b"\xff\xc3\xa9"


def test_visible_text_is_left_alone() -> None:
    for text in ("naïve 日本語 😀 Ω\n\tx", SAMPLES[0].read_text(encoding="utf-8")):
        assert visible(text) == text
    assert visible("a\u202eb\u3164\ue000") == "a[U+202E]b[U+3164][U+E000]"


# ---------------------------------------------------------------- code, diffs, pictures


@pytest.mark.parametrize(
    "text",
    [
        *(path.read_text(encoding="utf-8") for name in ("flask", "fastapi") for path in sorted((FIXTURES / name / "before").rglob("*.py"))),
        "@größe.für(x)\nasync def señal(*, ñ: 'int' = 0x1f) -> None:\n    from a.β import c as d\n    raise ValueError(f'{ñ!r:>{d}}')\n",
        "class Ω(Base):\n    def __init__(self): print(__name__, super().x)\n    match x:\n        case _: y = b'\\x00' @ z\n",
        "    return rows]\n\n  '''half a text",
    ],
)
def test_python_is_coloured_as_pygments_does_but_for_builtins(text: str) -> None:
    plain = {Name.Builtin, Name.Builtin.Pseudo, Name.Exception, Name.Variable.Magic}
    told = [(Name if kind in plain else kind, value) for kind, value in PythonLexer(stripnl=False).get_tokens(text)]
    assert list(Python(stripnl=False).get_tokens(text)) == told


def test_code_is_coloured_escaped_and_numbered() -> None:
    said: document.Evidence = {
        "rule": "r", "message": "", "file": "app.py", "line": 40, "snippet": "    if x < 1:\n        return '<b>'  # why\n"
    }  # fmt: skip
    rows = evidence.blocks([said])[0].rows
    assert [row.number for row in rows] == [40, 41]
    assert rows[0].html == '<span class="tk">if</span> x &lt; <span class="tn">1</span>:'
    assert rows[1].html.startswith('    <span class="tk">return</span>')
    assert "&lt;b&gt;" in rows[1].html
    assert "<b>" not in rows[1].html


@pytest.mark.parametrize("text", ["", "\n\n", "a\rb", "x = '''\n", "\ufeffimport os", "y" * 5000, "\x0c\n\x00", "a\r\nb\r\n"])
@pytest.mark.parametrize("file", ["a.py", "Dockerfile", "x.json", "y.yaml", "z.md", "t.toml", "i.html", "unknown.bin"])
def test_no_lexer_adds_or_drops_a_line(text: str, file: str) -> None:
    assert len(code.lines(text, file)) == visible(text).count("\n") + 1


def test_a_diff_is_numbered_and_its_changed_words_are_marked() -> None:
    parsed = {change["file"]: diff.parse(change["diff"], change["file"]) for change in sample("flask_iris_form")["changes"]}
    app = parsed["app.py"]
    assert (app.added, app.removed, len(app.hunks)) == (12, 9, 4)
    assert (app.hunks[1].old, app.hunks[1].new, app.hunks[1].heading) == (45, 41, "def predict():")
    removed, added = (next(row for row in app.hunks[1].rows if row.kind == kind) for kind in ("removed", "added"))
    assert (removed.old, removed.new, added.old, added.new) == (48, None, None, 44)
    assert '<span class="w">' in removed.html
    assert "model.predict_proba" in re.sub("<[^>]+>", "", removed.html)
    assert parsed["triton_serving/__init__.py"].hunks == ()


def test_odd_diffs_are_shown_whole() -> None:
    odd = diff.parse("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\r\n\n+new\u202e<b>\n\\ No newline at end of file\n", "x")
    assert [row.kind for row in odd.hunks[0].rows] == ["removed", "same", "added", "note"]
    assert [row.html for row in odd.hunks[0].rows] == ["old", "", "new[U+202E]&lt;b&gt;", "No newline at end of file"]
    assert diff.parse("Binary files differ", "x").hunks == ()


def test_the_cut_is_drawn_where_stages_change_sides() -> None:
    stages = pipelines(sample("fastapi_images"))[0].found["stages"]
    wide, tall = diagram.across(stages), diagram.down(stages)
    assert [box.y for box in wide.boxes] == [22, 136, 136, 136, 22]
    assert [lane.title for lane in wide.lanes] == ["Application", "Triton"]
    assert tall.width <= 340
    assert all(box.x + diagram.BOX_WIDTH <= tall.width and box.y + diagram.BOX_HEIGHT <= tall.height for box in tall.boxes)
    assert all(box.x + diagram.BOX_WIDTH <= wide.width and box.y + diagram.BOX_HEIGHT <= wide.height for box in wide.boxes)
    unplanned = pipelines(sample("support_desk"))[0].found["stages"]
    assert diagram.across(unplanned).lanes == ()
    assert "Model self.net at imgsvc/classifier.py:59–60, on Triton; then" in diagram.sentence(stages)


def test_what_crosses_the_cut_is_written_at_it_and_what_a_stage_does_besides_is_marked() -> None:
    (row, _) = pipelines(sample("fastapi_images"))
    noted: list[document.Evidence] = [{"rule": "writes-file", "message": "keeps the upload", "file": "x.py", "line": 3, "snippet": ""}]
    stages = [*row.found["stages"]]
    stages[0] = {**stages[0], "file": "x.py", "line": 2, "end_line": 4}
    picture = diagram.across(stages, row.served, noted)
    assert [label.text for label in picture.labels] == ["IMAGE STRING [1] +2", "LABELS STRING [-1] +3"]
    assert picture.labels[0].full.startswith(
        "IMAGE STRING [1] (declared; seen: ndarray float32, shape 1 × 3 or 2 × 3, values 0.1 to 7.9), "
    )
    assert [box.noted for box in picture.boxes] == ["writes-file: keeps the upload", "", "", "", ""]
    assert diagram.across(stages).labels == ()


def test_a_stage_that_moved_is_on_tritons_side_wherever_it_is_written() -> None:
    report = api.scan(FIXTURES / "apps" / "fastapi_shapes" / "before")
    (endpoint,) = [row for row in report["endpoints"] if row["inference"]]
    sides = {stage["name"]: stage.get("side") for stage in endpoint["stages"]}
    assert sides == {"classify": "app", "open_image": "app", "to_batch": "triton", "self.net": "triton", "rank": "triton"}


def test_lines_that_changed_stand_beside_each_other() -> None:
    parsed = diff.parse("--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n a\n-b\n-c\n+B\n d\n+e\n", "x.py")
    (hunk,) = parsed.hunks
    assert [(p.kind, p.before and p.before.old, p.after and p.after.new) for p in hunk.pairs] == [
        ("same", 1, 1), ("changed", 2, 2), ("removed", 3, None), ("same", 4, 3), ("added", None, 4),
    ]  # fmt: skip
    assert hunk.lines == range(1, 5)


def test_the_four_ways_and_the_order_to_move_in() -> None:
    rows = pipelines(sample("support_desk"))
    assert [(way.target, way.chosen) for way in targets.ways(rows[3])] == [
        ("pytriton", True), ("python-backend", False), ("ensemble", False), ("model", False),
    ]  # fmt: skip
    assert all(way.points == rows[3].found["effort"]["points"] for way in targets.ways(rows[3]) if way.chosen)
    moves = order.moves(rows)
    assert sorted(row.anchor for move in moves for row in move.rows) == [row.anchor for row in rows]
    assert [move.blocked for move in moves] == sorted(move.blocked for move in moves)
    assert "unblocked first" in moves[-1].why
    (shared,) = order.moves(pipelines(sample("fastapi_images")))
    assert ([model["id"] for model in shared.shared], shared.points) == (["m1"], 4)


def verified(requests: list[dict[str, Any]], **more: Any) -> document.Report:
    """The sample's two ported entries with such a verification."""
    plain = {
        "method": "POST",
        "status_original": 200,
        "status_port": 200,
        "equal": True,
        "infer": True,
        "on_triton": True,
        "differences": [],
    }
    rows = [{"id": str(number), **plain, **given} for number, given in enumerate(requests)]
    report = sample("fastapi_images")
    for endpoint in report["endpoints"]:
        if endpoint["port"] is not None:
            endpoint["port"]["status"] = "ported"
    return proven({**report, "verification": typing.cast("Any", {"requests": rows, "load": None, **more})})


def test_a_task_is_as_proven_as_the_routes_that_ask_for_its_model() -> None:
    report = verified([{"path": "/v1/classify"}])
    port = {"status": "ported", "proof": "compiled", "not_done": []}
    report["tasks"] = [typing.cast("Any", {"name": "classify", "inference": False, "port": port})]
    report["served_models"][0]["endpoints"] = ["POST /v1/classify", "task classify"]
    assert [task["port"] and task["port"]["proof"] for task in proven(report)["tasks"]] == ["parity"]
    report["served_models"][0]["endpoints"] = ["task classify"]
    assert [task["port"] and task["port"]["proof"] for task in proven(report)["tasks"]] == ["loaded"]


def test_proof_is_given_to_the_entries_that_were_asked() -> None:
    file, inline = "/v1/classify", "/v1/classify/inline"
    levels = lambda report: {e["path"]: e["port"]["proof"] for e in report["endpoints"] if e["port"]}  # noqa: E731
    assert levels(verified([{"path": file}])) == {file: "parity", inline: "loaded"}
    assert levels(verified([{"path": file}, {"path": inline, "equal": False}])) == {file: "parity", inline: "loaded"}
    assert levels(verified([{"path": file, "on_triton": False}])) == {file: "loaded", inline: "loaded"}
    guessed = {"path": file, "on_triton": False, "guessed": True}
    assert levels(verified([guessed])) == {file: "loaded", inline: "loaded"}
    assert levels(verified([guessed, {"path": file}])) == {file: "parity", inline: "loaded"}
    mixed = {"mixed_up": [{"id": "0", "path": "$", "original": 1, "port": 2}]}
    assert levels(verified([{"path": file}], together=mixed)) == {file: "loaded", inline: "loaded"}
    both = [{"path": file}, {"path": inline}]
    assert levels(verified(both, load={"request": "1", "ratio": {"rps": 1.7}, "rounds": [{"ratio": 1.7}]})) == {
        file: "parity",
        inline: "faster",
    }
    assert levels(verified(both, load={"request": "1", "ratio": {"rps": 1.01}})) == {file: "parity", inline: "parity"}
    changes = {change["file"]: change["proof"] for change in verified([{"path": file}])["changes"]}
    assert {name: level for name, level in changes.items() if name.endswith("classifier.py")} == {"imgsvc/classifier.py": "loaded"}
    assert {level for name, level in changes.items() if not name.endswith((".py", ".pbtxt"))} == {None}
    assert proven(sample("support_desk")) == sample("support_desk")  # never verified


def test_made_up_requests_are_put_in_plain_words() -> None:
    row: verification.Exercised = {"entry": "POST /p", "tried": 9, "answered": 4, "refused": 3, "failed": 2, "why": ""}
    assert proof.exercised_in_words(row).startswith("9 requests tried, 4 answered and 3 refused by the original; at 2 more")
    silent: verification.Exercised = {**row, "answered": 0, "why": "403 forbidden"}
    assert proof.exercised_in_words(silent) == "not exercised: 9 requests were tried, none was answered; the likeliest got 403 forbidden"
    assert proof.exercised_in_words({**silent, "tried": 0, "why": ""}) == "not exercised: no request could be made up"
    report = sample("fastapi_images")
    assert report["verification"] is not None
    report["verification"] |= {"exercised": [row, silent], "seconds": 71.6}
    report |= {"run": {"libraries": 190, "rules": 4321, "rulebook": "0123456789ab", "options": ["--cut", "model"]}}
    report_json.validate(report)
    page, text = html.render(report), printed(verify_summary, report)
    for said in ("not exercised: 9 requests", "4,321 rules about 190 libraries", "<code>--cut model</code>", "in 72 s"):
        assert said in page
    assert "POST /p: not exercised: 9 requests" in text


def test_evidence_that_stands_together_is_shown_once() -> None:
    text = "\n".join(f"    line{n}" for n in range(1, 31)).split("\n")

    def at(line: int, length: int = 1, file: str = "a.py") -> document.Evidence:
        first, last = line - 1, line - 1 + length
        before, snippet, after = text[max(0, first - 3) : first], text[first:last], text[last : last + 3]
        around = {"before": "".join(f"{one}\n" for one in before), "after": "\n".join(after)}
        return {"rule": "r", "message": str(line), "file": file, "line": line, "snippet": "\n".join(snippet), **around}  # type: ignore[typeddict-item]

    far, near, next_to, other = at(25, 2), at(10), at(5), at(6, file="b.py")
    found = evidence.blocks([far, near, next_to, other])
    assert [(block.file, [e["line"] for e in block.evidence]) for block in found] == [("a.py", [25]), ("a.py", [5, 10]), ("b.py", [6])]
    assert [row.number for row in found[1].rows] == list(range(2, 14))
    assert [row.number for row in found[1].rows if row.said] == [5, 10] and [row.number for row in found[0].rows if row.said] == [25, 26]
    assert "line5" in found[1].rows[3].html
    bare: document.Evidence = {"rule": "r", "message": "", "file": "a.py", "line": 7, "snippet": ""}
    assert evidence.blocks([bare])[0].rows == ()


def test_a_load_is_put_in_plain_words() -> None:
    load = sample("fastapi_images")["verification"]["load"]
    assert proof.load_in_words(load).startswith("Faster: 1.6")
    assert proof.gained(load)
    last = load["rounds"][-1]
    unsteady: verification.Load = {**load, "rounds": [*load["rounds"][:-1], {**last, "ratio": 0.98}]}
    assert not proof.gained(unsteady) and "not in each of 3 rounds" in proof.load_in_words(unsteady)
    for ratio, words in ((1.04, "No gain: as many"), (0.97, "No gain: as many"), (0.5, "No gain: 0.50 times")):
        assert proof.load_in_words({**load, "ratio": {**load["ratio"], "rps": ratio}}).startswith(words)
    figures = {**load["original"], "rps": 10.0}
    more: verification.Load = {**load, "levels": [
        {"connections": 1, "rate": None, "original": figures, "port": figures},
        {"connections": 16, "rate": 9.5, "original": figures, "port": figures},
    ]}  # fmt: skip
    assert [(bar.at, bar.side) for bar in proof.bars(more)][::2] == [
        ("1 connection", "original"), ("16 connections", "original"), ("9.5 a second, open loop", "original"),
    ]  # fmt: skip
    assert max(bar.share for bar in proof.bars(more)) == 100
    more |= {"server": {"queue_ms": 1.25, "compute_ms": 2, "rows_per_call": 3}, "memory": {"original": 90, "application": 40, "triton": 60}}
    assert proof.server_in_words(more).endswith("Memory: original 90 MB, port 100 MB (40 the application, 60 Triton).")


def test_many_at_once_is_put_in_plain_words() -> None:
    crowd: verification.Together = {
        "clients": 32, "sent": 96, "equal": 96, "distinct": 3, "rows_per_call": 4.25, "shown": True, "left_out": [], "mixed_up": [],
    }  # fmt: skip
    assert proof.together_in_words(crowd) == "4.2 rows per call, and no answer depends on its neighbours"
    assert "nothing is known" in proof.together_in_words({**crowd, "rows_per_call": 1.0})
    assert "only one request" in proof.together_in_words({**crowd, "distinct": 1})
    report = sample("fastapi_images")
    mixed: verification.MixedUp = {"id": "cat", "path": "$.label", "original": "cat", "port": "dog"}
    report["verification"]["together"] = {**crowd, "equal": 95, "mixed_up": [mixed]}
    for request in report["verification"]["requests"]:
        request["varies"] = ["header x-request-id"]
    report["verification"]["requests"][0]["varies"] += ["$.took", "$"]
    report_json.validate(report)
    every, first = len(report["verification"]["requests"]), report["verification"]["requests"][0]["id"]
    varying = (f"header x-request-id (in every one of {every} requests)", f"$.took, the whole body (in {first})")
    assert proof.varying_in_words(report["verification"]["requests"]) == varying
    assert all(f"<li>{place}</li>" in html.render(report) for place in varying)
    assert "cat: <code>$.label</code>" in html.render(report)
    text = printed(verify_summary, report, width=200)
    assert 'cat, when others are under way: $.label: "cat" -> "dog"' in text
    assert "95 of 96 replies equal when 32 clients ask at once: an answer depends on what else is under way" in text
    assert all(f"the original itself varies at {place}" in text for place in varying)


def test_rows_and_what_was_seen_are_put_in_plain_words() -> None:
    report = sample("fastapi_images")
    checks = report["verification"]["rows"]
    assert [proof.rows_in_words(check) for check in checks] == [
        "LABELS depends on the batch: the rows are not independent",
        "3 rows asked alone and in one batch are the same",
        "not asked in batches: it takes one row at a time",
    ]
    page, text = html.render(report), printed(verify_summary, report, width=200)
    for said in ("LABELS depends on the batch", "row 2 of LABELS: 0.31 alone, 0.27 in a batch of 6", "it takes one row at a time"):
        assert said in page and said in text
    asking = report["served_models"][0]["endpoints"]
    assert {e["port"]["proof"] for e in proven(report)["endpoints"] if e["port"] and e["id"] in asking} == {"loaded"}
    assert "seen: ndarray float32, shape 1 × 3 or 2 × 3, values 0.1 to 7.9" in page and "has changed since the recording" in page
    told = printed(scan_summary, report, width=200)
    assert "app/old.py has changed since the recording" in told and ":3: float32 by the code, but the recording saw float64" in told


# ---------------------------------------------------------------- terminal


def printed(table: Any, *arguments: Any, width: int = 120, **named: Any) -> str:
    out = StringIO()
    table(*arguments, Console(file=out, width=width), **named)
    return out.getvalue()


def test_the_scan_in_the_terminal() -> None:
    text = printed(scan_summary, sample("support_desk"), report=Path(".triton-migrate/report.html"))
    assert re.search(r"POST /tickets/classify +m1 +modular +M1a +90% +portable", text)
    assert re.search(r"POST /tickets/\{ticket_id\}/suggest +m2 +tight +T1 +83% +blocked", text)
    assert "4 other endpoints, 1 of them a probe" in text
    assert "Application: loose, 71% sure" in text
    assert re.search(r"Not resolved.+engines.+nothing is known of `engines.+POST /admin/preview", text, re.DOTALL)
    assert "failed: scripts/old_report.py:12: SyntaxError" in text
    assert "skipped: vendor/yolo: ignored by .gitignore" in text
    assert text.endswith("Report: .triton-migrate/report.html\n")


def test_the_port_in_the_terminal() -> None:
    text = printed(apply_summary, sample("fastapi_images"))
    assert re.search(r"imgsvc/classifier.py +review +loaded +the body of", text)
    assert "12 new files under triton_serving/" in text
    assert "Model classify (python, up to 32 rows in one call): IMAGE STRING, K INT32 -> LABELS STRING" in text
    assert "Not ported: consumer scripts/nightly.py:15" in printed(apply_summary, sample("support_desk"))


def test_the_verification_in_the_terminal() -> None:
    text = printed(verify_summary, sample("fastapi_images"))
    assert re.search(r"inline-truncated  POST /v1/classify/inline +400 -> 500 +differs", text)
    assert 'inline-truncated: $.detail: "not a readable image" -> "Internal Server Error"' in text
    assert "7 of 9 replies equal" in text
    assert re.search(r"requests per second +148.2 +248.3 +1.67", text)
    assert "6.2 rows per call" in text
    assert "Stand-in: onnxruntime" in text
    with pytest.raises(TritonMigrateError, match="verify"):
        printed(verify_summary, sample("support_desk"))


def test_one_pipeline_in_the_terminal() -> None:
    report = sample("support_desk")
    text = printed(lambda console: explain("POST /tickets/{ticket_id}/suggest", report, console))
    for expected in (
        "tight by T1, 83% sure",
        "history_for",
        "select(Message)",
        "Blocked: the open session",
        "Fix: read the",
    ):
        assert expected in text
    assert "Next: " not in text
    with pytest.raises(TritonMigrateError, match="did you mean POST /tickets/classify or"):
        explain("POST /ticket/classify", report, Console(file=StringIO()))
    with pytest.raises(TritonMigrateError, match="runs no model"):
        explain("GET /health", report, Console(file=StringIO()))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_cannot_drive_the_terminal(name: str) -> None:
    report = poisoned(name)
    text = printed(scan_summary, report, report=Path("x")) + printed(apply_summary, report)
    if report["verification"]:
        text += printed(verify_summary, report)
    text += printed(lambda console: explain(pipelines(report)[0].entry, report, console))
    assert not set(text) & set("\x1b\x07\u202e\u2066\u200b\udc80")
    assert "[U+202E]" in re.sub(r"\s", "", text)
    assert "[red]" in re.sub(r"\s", "", text)


# ---------------------------------------------------------------- page


def test_the_palette_has_enough_contrast() -> None:
    css = (Path(html.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    light, dark, _ = re.findall(r":root \{(.*?)\}", css, re.DOTALL)

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for palette in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#\w+)", palette))
        for front in ("text", "muted", "accent", "good", "warn", "bad", "t-comment", "t-string", "t-keyword", "t-number", "t-name"):
            for back in ("paper", "raised", "good-bg", "bad-bg", "warn-bg"):
                if back == "warn-bg" and front.startswith("t-"):
                    continue
                high, low = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """URL by name: the samples and the samples made hostile."""
    folder = tmp_path_factory.mktemp("pages")
    urls = {}
    for name in NAMES:
        for kind, report in (("", sample(name)), ("hostile_", poisoned(name))):
            path = folder / f"{kind}{name}.html"
            report_json.validate(report)
            html.write(report, path)
            urls[path.stem] = path.as_uri()
    return urls


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not chromium or not driver:
        pytest.skip("no chromium with chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield running
    running.quit()


def requested(browser: Any) -> set[str]:
    """The schemes of everything the page asked for since the last call."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return {event["params"]["request"]["url"].partition(":")[0] for event in events if event["method"] == "Network.requestWillBeSent"}


def resize(browser: Any, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [f"{kind}{name}" for name in NAMES for kind in ("", "hostile_")])
def test_a_page_loads_nothing_runs_nothing_and_fits(browser: Any, pages: dict[str, str], name: str, width: int) -> None:
    resize(browser, width)
    browser.get("about:blank")
    browser.get_log("browser")
    requested(browser)
    browser.get(pages[name])
    browser.execute_script("for (const closed of document.querySelectorAll('details')) closed.open = true")
    assert browser.get_log("browser") == []
    assert requested(browser) <= {"file", "data"}
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.querySelectorAll('script').length") == 1
    assert browser.execute_script("return document.querySelectorAll('img, iframe, object, [onmouseover], [onerror], [style]').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    text = browser.execute_script("return document.documentElement.textContent")
    assert not set(text) & set("\x1b\x07\u202e\u2066\u200b")
    assert ("[U+202E]gnp" in text) == name.startswith("hostile_")


@pytest.mark.browser
def test_the_policy_stops_what_an_escape_would_have_missed(browser: Any, pages: dict[str, str]) -> None:
    browser.get(pages["support_desk"])
    browser.execute_script(
        "const made = document.createElement('script'); made.textContent = 'window.hacked = 4'; document.body.append(made);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 5\">')"
    )
    assert browser.execute_script("return window.hacked") is None
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def shown(browser: Any) -> list[str]:
    return browser.execute_script("return [...document.querySelectorAll('details.pipeline:not([hidden]) h3')].map((h) => h.textContent)")


@pytest.mark.browser
def test_filters_live_in_the_hash(browser: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    resize(browser, 1280)
    browser.get("about:blank")
    browser.get(pages["support_desk"])
    assert len(shown(browser)) == 6
    Select(browser.find_element(By.NAME, "category")).select_by_visible_text("loose")
    assert shown(browser) == ["POST /admin/preview", "task desk.tasks.triage"]
    assert browser.current_url.endswith("#category=loose")
    assert browser.find_element(By.CSS_SELECTOR, "#apply code").text.endswith("apply '/srv/services/support desk' --category loose")
    Select(browser.find_element(By.NAME, "framework")).select_by_visible_text("celery")
    assert shown(browser) == ["task desk.tasks.triage"]
    browser.find_element(By.NAME, "text").send_keys("no such words")
    assert shown(browser) == []
    assert browser.find_element(By.ID, "nothing").is_displayed()
    link = browser.current_url
    browser.get("about:blank")
    browser.get(link)
    assert browser.find_element(By.NAME, "text").get_attribute("value") == "no such words"
    assert browser.find_element(By.ID, "shown").text == "0 of 6 shown"
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert len(shown(browser)) == 6
    assert "#" not in browser.current_url
    browser.get("about:blank")
    browser.get(pages["support_desk"] + "#status=blocked&text=HISTORY&category=nonsense")
    assert shown(browser) == ["POST /tickets/{ticket_id}/suggest"]
    browser.execute_script("location.hash = '#p3'")
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    assert len(shown(browser)) == 6
    assert browser.find_element(By.ID, "p3").get_attribute("open")
    assert browser.get_log("browser") == []


@pytest.mark.browser
def test_every_control_and_table_has_a_name(browser: Any, pages: dict[str, str]) -> None:
    browser.get(pages["fastapi_images"])
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {"button", "combobox", "searchbox", "image", "link", "region", "navigation", "heading", "form", "textbox"}
    unnamed = [node for node in nodes if node.get("role", {}).get("value") in named and not node.get("name", {}).get("value")]
    assert unnamed == []
    levels = browser.execute_script("return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.execute_script("return [...document.querySelectorAll('table:not(.diff)')].every((t) => t.querySelector('th[scope]'))")
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.browser
def test_without_javascript_and_on_paper_nothing_is_missing(browser: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.by import By

    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get("about:blank")
        browser.get(pages["support_desk"])
        assert not browser.find_element(By.ID, "filters").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "#apply code").is_displayed()
        assert not browser.find_element(By.CSS_SELECTOR, "#p4 .trouble").is_displayed()
        browser.find_element(By.CSS_SELECTOR, "#p4 > summary").click()
        assert browser.find_element(By.CSS_SELECTOR, "#p4 .trouble").is_displayed()
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert browser.find_element(By.CSS_SELECTOR, "#p2 .evidence").size["height"] > 40, "closed on screen, open on paper"
        assert not browser.find_element(By.CSS_SELECTOR, "nav.bar").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
