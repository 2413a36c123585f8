"""The habits that a program can check: types, lint, format, who may import whom, and what only certain rooms may do."""

from __future__ import annotations

import ast
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "triton_migrate"
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.timeout(1500)  # mypy starts without a cache
@pytest.mark.parametrize(
    "command",
    ["ruff check triton_migrate tests", "ruff format --check triton_migrate tests", "mypy", "lint-imports"],
)
def test_checker_is_content(command: str) -> None:
    tool, *arguments = command.split()
    run = [Path(sysconfig.get_path("scripts")) / tool, *arguments]
    done = subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, timeout=1450)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_of_modules_is_a_package() -> None:
    """A namespace package would be left out of the import contract without a word."""
    assert [folder for folder in sorted({path.parent for path in MODULES}) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_keeps_the_habits(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module opens with what it takes and gives"
    assert len(text.splitlines()) <= 650, "does it hold more than one idea?"
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    imported = set(imports(tree))
    assert "libcst" not in imported or room in ("rewrite", "generate") or path.stem == "dialects", "finding is done with ast"
    assert room in ("cli", "__main__") or not any(exits(node) for node in ast.walk(tree)), "only cli exits"


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def exits(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit", "quit")
