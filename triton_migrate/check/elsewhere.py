"""Takes the folder of a model repository, gives what the texts beside it (a README, an export script) say is put into it before the start.

Version folders, weights and whole models are often left out of a checkout: git drops empty folders, and networks are made by a script.
Where a text names `<model>/<version>`, their absence is a step to be taken, no mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SUFFIXES = frozenset({".md", ".rst", ".txt", ".sh", ".py", ".ipynb", ".yml", ".yaml", ".mk"})
NAMES = frozenset({"Dockerfile", "Makefile", "Jenkinsfile"})
PROJECT = ("README.md", "README.rst", "README.txt", "README", ".git")
MOST_LEVELS, MOST_FILES, MOST_BYTES = 4, 400, 500_000
_LAID_OUT = re.compile(r"([A-Za-z0-9_.\-]+)/+\d+\b")


def made_elsewhere(repository: Path, model: str) -> bool:
    """Does a text of the project around `repository` name a version folder of `model`?"""
    return model in _laid_out(repository.resolve())


@cache
def _laid_out(repository: Path) -> frozenset[str]:
    """Every NAME of a `NAME/<number>` in those texts."""
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in _files(repository))
    return frozenset(name for text in texts for name in _LAID_OUT.findall(text))


def _files(repository: Path) -> list[Path]:
    """Texts of the folders that belong to the same project, and of their own folders: what is beside them, not all below."""
    found = {file: None for folder in _around(repository) for depth in ("*", "*/*") for file in sorted(folder.glob(depth)) if _wanted(file)}
    return list(found)[:MOST_FILES]


def _around(repository: Path) -> Iterator[Path]:
    """The repository and the folders above that look like its project: they have a README, or are its git root, which is the last."""
    yield repository
    for folder in repository.parents[:MOST_LEVELS]:
        if not any((folder / name).exists() for name in PROJECT):
            return
        yield folder
        if (folder / ".git").exists():
            return


def _wanted(file: Path) -> bool:
    readable = file.suffix in SUFFIXES or file.name in NAMES
    return readable and file.is_file() and file.stat().st_size <= MOST_BYTES and not file.parent.name.startswith(".")
