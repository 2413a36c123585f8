"""Every fixture, found by listing folders: the scan reports exactly what its comments say, and its port is the golden one."""

from __future__ import annotations

import ast
import shutil
from functools import cache
from pathlib import Path

import pytest
from expectations import Fact, reported, written
from fixture_folders import APPS, LIBRARIES, Fixture, tree

from triton_migrate import api
from triton_migrate.base import Failed
from triton_migrate.discover import discover
from triton_migrate.index.lower import lower
from triton_migrate.match import Matcher
from triton_migrate.report import json as report_json
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.program import Program
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.load import load_rulebook
from triton_migrate.rulebook.vocabulary import ModelLoad, ModelPredict, Rule, WebRoute
from triton_migrate.verify.client import client
from triton_migrate.verify.replay import replay
from triton_migrate.verify.requests import read_requests
from triton_migrate.verify.start import Application, free_ports, running_app, start_command

ROLES: tuple[type[Rule], ...] = (WebRoute, ModelLoad, ModelPredict)


def test_scan_reports_what_the_comments_say(case: Fixture) -> None:
    expected = written(case.before)
    report = api.scan(case.before)
    report_json.validate(report)
    found = reported(report, frozenset((fact.file, fact.line) for fact in expected.true if fact.role == "web.input"))

    assert expected.true, "a fixture without expectations tests nothing"
    assert report["files"]["failed"] == []
    assert list(map(str, sorted(expected.true - found))) == [], "written, but not reported"
    assert list(map(str, sorted(found - expected.true - expected.spurious))) == [], "reported, but not written"
    for row in (*report["endpoints"], *report["tasks"], *report["consumers"]):
        assert row["evidence"] or row["category"] is None, "a verdict without evidence"
        for said in row["evidence"]:
            lines = (case.before / said["file"]).read_text("utf-8").splitlines()[said["line"] - 1 :]
            shown = said["snippet"].splitlines()
            assert shown
            assert lines[: len(shown)] == shown, said["message"]
    assert list(map(str, sorted(expected.missing & found))) == [], "a known gap is closed: take `MISSING:` away"
    assert list(map(str, sorted(expected.spurious - found))) == [], "a known error is gone: take `SPURIOUS:` away"


def test_every_library_with_entries_or_models_has_a_fixture() -> None:
    named = {
        Path(library.origin.rpartition(":")[0]).stem for library in rulebook().libraries if any(isinstance(r, ROLES) for r in library.rules)
    }
    assert sorted(named - {fixture.name for fixture in LIBRARIES}) == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.role)
def test_every_rule_is_exercised(role: type[Rule]) -> None:
    rules = {rule for library in rulebook().libraries for rule in library.rules if isinstance(rule, role)}
    matched = {rule for fixture in (*LIBRARIES, *APPS) for rule in matched_rules(fixture.before) if isinstance(rule, role)}
    assert rules
    assert [f"{rule.origin}: {', '.join(rule.api)}" for rule in sorted(rules - matched, key=lambda rule: rule.origin)] == []


def test_expectations_are_read_from_comments_only(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "def f():  # $ web.route url=/a methods=GET,POST category=loose rule=loose; web.input source=json name=x\n"
        "    text = '# $ model.predict'\n"
        "    net(1)  # $ model.predict MISSING: model.load framework=onnx SPURIOUS: consumer\n"
    )
    expected = written(tmp_path)
    route = ("category=loose", "rule=loose", "url=/a")
    assert expected.true == {
        Fact("app.py", 1, "web.route", tuple(sorted((*route, "method=GET")))),
        Fact("app.py", 1, "web.route", tuple(sorted((*route, "method=POST")))),
        Fact("app.py", 1, "web.input", ("name=x", "source=json")),
        Fact("app.py", 3, "model.predict"),
    }
    assert expected.missing == {Fact("app.py", 3, "model.load", ("framework=onnx",))}
    assert expected.spurious == {Fact("app.py", 3, "consumer")}


@cache
def rulebook() -> Rulebook:
    return load_rulebook()


@cache
def matched_rules(root: Path) -> frozenset[Rule]:
    facts = [lowered for lowered in map(lower, discover(root).sources) if not isinstance(lowered, Failed)]
    matcher = Matcher(Evaluator(Program(tuple(facts), rulebook().import_roots, web=rulebook().web_roots), rulebook()))
    places = [place for file in matcher.program.files.values() for calls in file.calls.values() for place in calls]
    return frozenset(match.rule for place in places for role in ROLES for match in matcher.at(place, role))


def test_app_answers_its_requests(app: Fixture, python: Path) -> None:
    app.make()
    requests = read_requests(app.folder / app.case["requests"])
    application = Application(**app.case["application"])
    (port,) = free_ports(1)
    with running_app(app.name, app.before, start_command(application, python, port), port) as running, client(running.url) as asking:
        answers = replay(requests, asking, running.check)

    assert len(requests) >= 12
    assert {a.request.id: a.reply.status for a in answers} == {r.id: r.expect_status for r in requests}
    assert any(r.infer for r in requests)
    assert any((r.expect_status or 0) >= 400 for r in requests), "bad input belongs to the recording"


def test_port_is_the_golden_one(app: Fixture, tmp_path: Path, regen: bool) -> None:
    port = app.copy(app.before, tmp_path / "port")
    api.apply(port, out=tmp_path / "out", write=True)
    if regen:
        shutil.rmtree(app.after, ignore_errors=True)
        shutil.copytree(port, app.after)
    assert app.after.is_dir(), "no golden port yet: pytest --regen, then read the diff"
    golden = app.copy(app.after, tmp_path / "golden")
    assert tree(port) == tree(golden)
    for file, text in tree(port).items():
        if file.endswith(".py"):
            ast.parse(text, file)


def test_port_of_a_port_changes_nothing(app: Fixture, tmp_path: Path) -> None:
    again = app.copy(app.after, tmp_path / "again")
    before = tree(again)
    api.apply(again, out=tmp_path / "out", write=True)
    assert tree(again) == before
