"""Takes the project's manifests and lock files, gives what they pin that PyTriton cannot live with: numpy 2, or Pythons it has no stub for.

PyTriton runs in the application's own environment. A Triton of its own has its own, so the looser target is the way out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from triton_migrate.base import Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # mypy may run where it is not needed

NUMPY = ("1.21.0", "1.22.4", "1.23.5", "1.24.4", "1.25.2", "1.26.0", "1.26.4")  # what a pin has to let in
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12")
LOCKS = ("poetry.lock", "uv.lock", "pdm.lock")
ALTERNATIVE = "lift the pin, or port with --target python-backend where the state can be passed: that Triton has an environment of its own"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One pin, where it stands, and why it is in the way."""

    reason: str
    span: Span
    fix: str = ALTERNATIVE


def conflicts(root: Path) -> tuple[Conflict, ...]:
    """All pins that exclude PyTriton, in the order of the files' names."""
    found: list[Conflict] = []
    for path in sorted(p for p in root.iterdir() if p.is_file() and not p.is_symlink()):
        if re.fullmatch(r"(requirements[\w.-]*|constraints[\w.-]*)\.(txt|in|lock)", path.name):
            found += _listed(path)
        elif path.name == "pyproject.toml":
            found += _project(path)
        elif path.name in LOCKS:
            found += _locked(path)
        elif path.name in (".python-version", "runtime.txt"):
            found += _version_file(path)
    return tuple(found)


# ---------------------------------------------------------------- files


def _listed(path: Path) -> Iterator[Conflict]:
    for number, line in enumerate(_lines(path), 1):
        text = line.split("#")[0].split(" --hash")[0].strip().rstrip("\\").strip()
        if text.lower().startswith("numpy"):
            yield from _numpy(text, path, number)


def _project(path: Path) -> Iterator[Conflict]:
    document = _toml(path)
    project, poetry = _table(document, "project"), _table(document, "tool", "poetry", "dependencies")
    if isinstance(wanted := project.get("requires-python"), str):
        yield from _python(wanted, path, _line(path, "requires-python"))
    for text in project.get("dependencies", ()):
        if isinstance(text, str) and text.lower().startswith("numpy"):
            yield from _numpy(text, path, _line(path, text))
    for name, given in poetry.items():
        version = given.get("version") if isinstance(given, dict) else given
        if not isinstance(version, str):
            continue
        if name == "python":
            yield from _python(_caret(version), path, _line(path, "python ="))
        elif name.lower() == "numpy":
            yield from _numpy(f"numpy{_caret(version)}", path, _line(path, "numpy"))


def _locked(path: Path) -> Iterator[Conflict]:
    for package in _toml(path).get("package", ()):
        if isinstance(package, dict) and package.get("name") == "numpy" and isinstance(version := package.get("version"), str):
            yield from _numpy(f"numpy=={version}", path, _line(path, 'name = "numpy"'))


def _version_file(path: Path) -> Iterator[Conflict]:
    text = next(iter(_lines(path)), "")
    if version := re.search(r"3\.\d+", text):
        yield from _python(f"=={version[0]}.*", path, 1)


# ---------------------------------------------------------------- pins


def _numpy(text: str, path: Path, line: int) -> Iterator[Conflict]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return
    if requirement.name.lower() == "numpy" and not any(requirement.specifier.contains(v) for v in NUMPY):
        if not any(_is_one(s.operator, s.version) for s in requirement.specifier):
            yield Conflict(f"{path.name} asks for {requirement}, and PyTriton needs numpy 1.21 to 1.26", _at(path, line))


def _is_one(operator: str, version: str) -> bool:
    """A pin of some version before 2 that we do not list."""
    return operator in ("==", "===") and version.startswith("1.2")


def _python(text: str, path: Path, line: int) -> Iterator[Conflict]:
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        return
    if not any(wanted.contains(f"{version}.{patch}") for version in PYTHONS for patch in (0, 9, 18)):
        yield Conflict(f"{path.name} asks for Python {text}, and PyTriton runs on 3.8 to 3.12", _at(path, line))


def _caret(version: str) -> str:
    """Poetry's `^1.2` and `~1.2` as specifiers; plain versions are pins."""
    if match := re.fullmatch(r"\^(\d+)(\.\d+)*", version.strip()):
        return f">={version.strip()[1:]},<{int(match[1]) + 1}"
    if version.strip().startswith("~") and not version.strip().startswith("~="):
        return f"~={version.strip()[1:]}" if "." in version else f">={version.strip()[1:]}"
    return f"=={version}" if re.fullmatch(r"[\d.]+", version.strip()) else version


# ---------------------------------------------------------------- text


def _toml(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8", errors="replace"))
        return document
    except tomllib.TOMLDecodeError:
        return {}


def _table(document: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        inner = document.get(name)
        document = inner if isinstance(inner, dict) else {}
    return document


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _line(path: Path, text: str) -> int:
    return next((number for number, line in enumerate(_lines(path), 1) if text in line), 1)


def _at(path: Path, line: int) -> Span:
    return Span(path.name, line, 0, line, 0)
