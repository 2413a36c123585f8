"""What a user gets: the wheel holds everything the tool reads, installs, and runs apart from this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "triton_migrate"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with nothing but the wheel in it; its libraries are ours."""
    home = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    ours = run(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (site / "ours.pth").write_text(ours)
    return python


def run(*command: str | Path) -> str:
    apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=sys.prefix, env=apart, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shipped() -> Iterator[str]:
    for path in PACKAGE.rglob("*"):
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(PACKAGE).parts)
        if path.is_file() and not hidden:
            yield path.relative_to(REPOSITORY).as_posix()
    yield from (f"triton_migrate/_rules/{path.name}" for path in (REPOSITORY / "rules").glob("*.toml"))


def test_wheel_holds_code_rules_schemas_and_templates_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = Parser().parsestr(archive.read(next(n for n in archive.namelist() if n.endswith("/METADATA"))).decode())
    assert held == set(shipped())
    assert "triton_migrate/py.typed" in held
    assert {Path(name).suffix for name in held} >= {".py", ".toml", ".json", ".j2", ".jinja", ".css", ".js"}
    assert wheel.name.endswith("-py3-none-any.whl")
    assert set(metadata.get_all("Provides-Extra") or ()) == {"triton", "dev"}
    needed = {line for line in metadata.get_all("Requires-Dist") or () if "extra ==" not in line}
    assert not any(heavy in line for line in needed for heavy in ("torch", "pytriton", "scikit-learn", "flask", "fastapi"))


def test_installed_tool_finds_its_rules_and_runs(installed: Path) -> None:
    where = "import triton_migrate.rulebook.where as w; print(*w.rule_files(), sep='\\n')"
    rules = [Path(line) for line in run(installed, "-c", where).splitlines()]
    assert {path.parent.name for path in rules} == {"_rules"}
    assert not any(REPOSITORY in path.parents for path in rules)
    assert {path.name for path in rules} == {path.name for path in (REPOSITORY / "rules").glob("*.toml")}

    script = installed.with_name("triton-migrate")
    commands = run(script, "--help")
    assert all(command in commands for command in ("scan", "apply", "serve", "verify", "rules", "explain"))
    assert run(installed, "-m", "triton_migrate", "--version").split()[-1] == "0.1.0"
