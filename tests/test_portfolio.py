"""Many applications: which folders they are, a report for each, an index over all, and one that cannot be read is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_report import NAMES, poisoned, sample
from test_sarif import app, scan

from triton_migrate.report.folders import names, repositories
from triton_migrate.report.page.portfolio import Member, dumps, render


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for name in ("one", "group/two", "group/three"):
        (tmp_path / name).mkdir(parents=True)
        app(tmp_path / name)
        (tmp_path / name / ".git").mkdir()
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_a_folder_of_repositories_is_told_from_a_repository(many: Path) -> None:
    assert [path.relative_to(many).as_posix() for path in repositories(many)] == ["one", "group/three", "group/two"]
    assert repositories(many / "one") == ()
    assert repositories(many / "notes") == ()
    (many / ".git").mkdir()
    assert repositories(many) == ()


def test_names_differ(tmp_path: Path) -> None:
    assert names([tmp_path / "a" / "api", tmp_path / "b" / "api", tmp_path / "web"]) == (
        f"{tmp_path.name}-a-api", f"{tmp_path.name}-b-api", "web",
    )  # fmt: skip


def test_scan_writes_an_index(many: Path) -> None:
    out = many / "notes" / "out"
    code, text = scan(many, "--out", out)
    assert code == 0
    assert "3 applications, 3 pipelines" in text
    index = (out / "index.html").read_text()
    for name in ("one", "two", "three"):
        assert (out / name / "report.json").is_file()
        assert f'<a href="{name}/report.html">{name}</a>' in index
    found = json.loads((out / "portfolio.json").read_text())
    assert found["totals"]["pipelines"] == 3
    assert found["totals"]["by_category"]["loose"] == 3
    assert scan(many, "--out", out, "--fail-on", "loose")[0] == 1
    assert scan(many, "--out", out, "--fail-on", "tight")[0] == 0


def test_several_paths_and_one_that_is_not_there(many: Path) -> None:
    code, text = scan(many / "one", many / "gone", "--out", many / "out")
    assert code == 2
    assert re.search(r"gone +failed", text)
    found = json.loads((many / "out" / "portfolio.json").read_text())["applications"]
    assert [(row["name"], row["failed"] is None) for row in found] == [("one", True), ("gone", False)]
    assert "no such file or folder" in (many / "out" / "index.html").read_text()


def test_the_index_is_safe_and_the_same_every_time() -> None:
    members = [Member(name, f"{name}#&", poisoned(name)) for name in NAMES] + [Member("<b>gone", "gone", None, "<i>unreadable")]
    page = render(members)
    assert page == render(members)
    assert not re.search(r"<(script|img|b>gone|i>unreadable)", page)
    assert "&lt;b&gt;gone" in page
    assert f'href="{NAMES[0]}%23%26/report.html"' in page
    assert "6 pipelines" not in render([Member("x", "x", sample("flask_iris_form"))])
    assert json.loads(dumps(members))["applications"][-1]["failed"] == "<i>unreadable"
