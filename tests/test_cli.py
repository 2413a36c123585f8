"""The command line: what a user's mistake is told, exit codes, nothing written by mistake, and the README that says what `--help` says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from fixture_folders import FIXTURES, Fixture, tree

from triton_migrate import cli

REPOSITORY = FIXTURES.parent
WINE = FIXTURES / "apps" / "flask_wine"


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Tool = Callable[..., Ran]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    """The console script, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["triton-migrate", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return Ran(int(left.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    """The Flask application, as version control has it."""
    shutil.copytree(WINE / "before", tmp_path / "wine", ignore=shutil.ignore_patterns("__pycache__", "*.joblib"))
    return tmp_path / "wine"


def git(folder: Path, *arguments: str) -> str:
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *name, "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


def refused(ran: Ran, *words: str) -> None:
    """Exit code 2, one line that says all of `words`, no traceback."""
    assert ran.code == 2, ran
    assert "Traceback" not in ran.err + ran.out
    (line,) = ran.err.strip().splitlines()
    assert line.startswith("error: ")
    assert [word for word in words if word not in line] == [], line


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("scan nowhere", ["nowhere", "no such file or folder", "give the folder"]),
        ("scan empty", ["empty", "no Python file here"]),
        ("scan empty/notes.txt", ["notes.txt", "not a folder"]),
        ("scan wine --rules nowhere", ["nowhere", "--rules"]),
        ("scan wine --fail-on tihgt", ["'tihgt'", "did you mean 'tight'"]),
        ("apply nowhere", ["nowhere", "no such file or folder"]),
        ("apply", ["no APP given", "triton-migrate scan APP"]),
        ("serve", ["no APP given", "triton-migrate scan APP"]),
        ("verify", ["no APP given", "triton-migrate scan APP"]),
        ("verify wine", ["report.json", "triton-migrate scan"]),
        ("serve nowhere", ["nowhere"]),
        ("serve wine", ["triton_serving/model_repository", "apply"]),
        ("apply wine --category looose", ["'looose'", "did you mean 'loose'"]),
        ("apply wine --endpoint /api/v1/clasify", ["'/api/v1/clasify'", "did you mean 'POST /api/v1/classify'"]),
        ("apply wine --endpoint GET~/health", ["'GET /health'", "no model is reached from it"]),
        ("explain wine POST~/api/v1/clasify", ["did you mean POST /api/v1/classify"]),
        ("explain nowhere POST~/", ["nowhere", "no such file or folder"]),
        ("rules sklern", ["'sklern'", "sklearn"]),
    ],
)
def test_mistake_is_told_in_one_line_and_nothing_is_written(tool: Tool, wine: Path, arguments: str, words: list[str]) -> None:
    (wine.parent / "empty").mkdir()
    (wine.parent / "empty" / "notes.txt").write_text("no code")
    before = tree(wine.parent)
    refused(tool(*(argument.replace("~", " ") for argument in arguments.split())), *words)
    assert tree(wine.parent) == before


@pytest.mark.parametrize("arguments", ["frobnicate", "scan --jobs 0", "scan --nonsense", "verify --connections many", "explain wine"])
def test_wrong_usage_says_where_help_is(tool: Tool, arguments: str) -> None:
    ran = tool(*arguments.split())
    assert ran.code == 2
    assert "--help" in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("torn.py", b"import os\n\ndef f(:\n    pass\n", 3, "syntax error"),
        ("latin.py", b'name = "caf\xe9"\n', 1, "not utf-8: byte 0xe9"),
        ("late.py", b"import os\n\n# r\xe9sum\xe9\n", 3, "not utf-8: byte 0xe9"),
        ("null.py", b'x = 1\ny = "\x00"\n', 2, "null byte"),
        ("odd.py", b"# -*- coding: klingon -*-\n", 1, "klingon"),
        ("deep.py", b"x = " + b"-" * 20_000 + b"1\n", 1, "deep"),
    ],
)
def test_scan_names_a_file_it_cannot_read_and_goes_on(tool: Tool, wine: Path, name: str, content: bytes, line: int, words: str) -> None:
    (wine / "cellar" / name).write_bytes(content)
    ran = tool("scan", wine, "--out", "out")
    assert ran.code == 0, ran
    assert "POST /api/v1/classify" in ran.out
    (failed,) = (row for row in ran.out.splitlines() if "failed:" in row)
    assert f"cellar/{name}:{line}: " in failed
    assert words in failed
    page = Path("out/report.html").read_text("utf-8")
    assert f"cellar/{name}" in page


def test_folder_of_broken_files_is_reported_not_refused(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("def (")
    ran = tool("scan", "app", "--out", "out")
    assert ran.code == 0
    assert "main.py:1: syntax error" in ran.out


def test_app_without_model(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(
        "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get('/')\ndef home():\n    return 'ok'\n"
    )
    before = tree(tmp_path / "app")
    assert tool("scan", "app", "--out", "out").code == 0
    ran = tool("apply", "app", "--out", "out", "--write")
    assert ran.code == 0
    assert "No change is planned." in ran.out
    assert "migration.patch" not in ran.out
    assert not Path("out/migration.patch").exists()
    assert tree(tmp_path / "app") == before
    refused(tool("verify", "app", "--out", "out", "--requests", WINE / "requests.jsonl"), "there is no port to verify", "apply")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"id": "a", "method": "GET", "path": "/health"}\n{"id": "b", "method"\n', 2, []),
        ('{"id": "a", "method": "GET", "path": "/health"}\n\n[1]\n', 3, []),
        ('{"id": "a", "method": "GET"}\n', 1, ["path"]),
        ('{"id": "a", "method": "GET", "path": "/", "expekt_status": 200}\n', 1, ["expekt_status"]),
        ('{"id": "a", "method": "GET", "path": "/"}\n{"id": "a", "method": "GET", "path": "/"}\n', 2, ["a"]),
        ('{"id": "a", "method": "POST", "path": "/", "files": {"f": {"path": "missing.png"}}}\n', 1, ["missing.png"]),
    ],
)
def test_bad_line_of_recorded_requests_is_named(tool: Tool, wine: Path, text: str, line: int, words: list[str]) -> None:
    assert tool("apply", wine, "--out", "out").code == 0
    Path("bad.jsonl").write_text(text)
    before = tree(wine.parent)
    refused(tool("verify", wine, "--out", "out", "--requests", "bad.jsonl"), f"bad.jsonl:{line}: ", *words)
    refused(tool("verify", wine, "--out", "out", "--requests", "none.jsonl"), "none.jsonl")
    assert tree(wine.parent) == before


# ---------------------------------------------------------------- writing


def test_write_refuses_uncommitted_changes_unless_told(tool: Tool, wine: Path) -> None:
    git(wine, "init", "--quiet")
    git(wine, "add", "--all")
    git(wine, "commit", "--quiet", "--message", "before")
    with (wine / "cellar" / "api.py").open("a") as file:
        file.write("\n# not committed\n")
    before = tree(wine.parent)
    refused(tool("apply", wine, "--write", "--out", "out"), "uncommitted changes in cellar/api.py", "--allow-dirty")
    assert tree(wine.parent) == before

    ran = tool("apply", wine, "--write", "--allow-dirty", "--out", "out")
    assert ran.code == 0
    assert (wine / "triton_serving" / "client.py").is_file()
    assert "# not committed" in (wine / "cellar" / "api.py").read_text()


def test_uncommitted_changes_elsewhere_do_not_matter(tool: Tool, wine: Path) -> None:
    git(wine, "init", "--quiet")
    git(wine, "add", "--all")
    git(wine, "commit", "--quiet", "--message", "before")
    (wine / "NOTES").write_text("to do")
    assert tool("apply", wine, "--write", "--out", "out").code == 0
    assert (wine / "triton_serving" / "client.py").is_file()


def test_second_apply_plans_nothing(tool: Tool, app: Fixture, tmp_path: Path) -> None:
    port = app.copy(app.before, tmp_path / "port")
    first = tool("apply", port, "--write", "--out", "out")
    assert first.code == 0, first
    patch, ported = Path("out/migration.patch").read_bytes(), tree(port)

    again = tool("apply", port, "--write", "--out", "out")
    assert again.code == 0, again
    assert "No change is planned." in again.out
    assert tree(port) == ported
    assert Path("out/migration.patch").read_bytes() == patch, "the way back"


# ---------------------------------------------------------------- choosing


def test_apply_takes_the_app_of_the_last_scan(tool: Tool, wine: Path) -> None:
    assert tool("scan", "wine").code == 0
    assert sorted(path.name for path in Path(".triton-migrate").iterdir()) == ["report.html", "report.json"]
    ran = tool("apply", "--endpoint", "POST /api/v1/classify/batch")
    assert ran.code == 0
    patch = Path(".triton-migrate/migration.patch").read_text("utf-8")
    assert "+++ b/cellar/api.py" in patch and "+++ b/cellar/model.py" not in patch


def test_category_without_members_plans_nothing(tool: Tool, wine: Path) -> None:
    ran = tool("apply", wine, "--category", "tight", "--out", "out")
    assert ran.code == 0
    assert "No change is planned." in ran.out


@pytest.mark.parametrize(("asked", "code"), [("loose", 1), ("tight", 0), ("blocked", 0), ("all", 1)])
def test_fail_on(tool: Tool, wine: Path, asked: str, code: int) -> None:
    assert tool("scan", wine, "--out", "out", "--fail-on", asked).code == code
    assert Path("out/report.json").is_file()


# ---------------------------------------------------------------- what is said of it


def commands() -> dict[str, Any]:
    return typer.main.get_command(cli.cli).commands


def options(command: Any) -> set[str]:
    return {
        option
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def test_readme_says_what_help_says() -> None:
    """One row a command: its arguments and its help, word for word."""
    rows = dict(re.findall(r"^\| `(\w+)[^|]*` \| ([^|]+?) \|$", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE))
    assert rows == {name: command.help for name, command in commands().items()}


@pytest.mark.parametrize("name", sorted(commands()))
def test_help_names_every_option_and_the_readme_knows_it(tool: Tool, name: str) -> None:
    ran = tool(name, "--help")
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    assert ran.code == 0
    assert sorted(option for option in options(commands()[name]) if option not in ran.out) == []
    assert sorted(option for option in options(commands()[name]) - {"--help"} if option not in readme) == []


def test_readme_names_no_option_that_is_not_there() -> None:
    known = set().union(*(options(command) for command in commands().values()))
    pip_git_pytest = {"--directory", "--regen", "--reverse", "--help", "--version"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (REPOSITORY / "README.md").read_text("utf-8")))
    assert sorted(named - known - pip_git_pytest) == []
