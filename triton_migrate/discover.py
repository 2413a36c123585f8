"""Takes a path, gives the `Project`: which Python files there are, decoded, and what the manifests say.

Nothing is run, links that leave the root are not followed, and a file that cannot be read is named, not fatal.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pathspec

from triton_migrate.base import Failed, Skipped, SourceFile, TritonMigrateError

SKIPPED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        "site-packages",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".ipynb_checkpoints",
        ".triton-migrate",
    }
)
GENERATED = "triton_serving"
BIGGEST = 5_000_000  # bytes; a larger Python file is data
MANIFESTS = re.compile(r"(requirements[\w.-]*\.(txt|in)|pyproject\.toml|setup\.(py|cfg)|Pipfile|environment\.ya?ml)\Z")
DISTRIBUTION = re.compile(r"""^[\s"'-]*([A-Za-z][\w.-]*?)(?:\[[\w,\s-]*\])?\s*(?:[=<>!~;"'@,]|$)""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Project:
    """The files of one application. `distributions`: normalised names that the manifests mention."""

    root: Path
    sources: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    distributions: frozenset[str]
    commit: str | None
    instead: Mapping[str, str] = field(default_factory=dict)  # texts that files do not have yet

    @property
    def ported(self) -> bool:
        """Whether the port was applied to this tree."""
        return (self.root / GENERATED / "client.py").is_file()

    def with_texts(self, texts: Mapping[str, str]) -> Project:
        """The same application, had some of its files these texts."""
        read = (s if s.path not in texts else SourceFile(s.path, texts[s.path], _digest(texts[s.path].encode())) for s in self.sources)
        return replace(self, sources=tuple(read), instead=texts)


def discover(root: Path) -> Project:
    """Read every Python file under `root` that git would not ignore."""
    if not root.exists():
        raise TritonMigrateError("no such file or folder", file=str(root), hint="give the folder of the application")
    if not root.is_dir():
        raise TritonMigrateError("not a folder", file=str(root), hint="give the folder that holds the application")
    root = root.resolve()
    sources: list[SourceFile] = []
    skipped: list[Skipped] = []
    failed: list[Failed] = []
    for path in sorted(_python_files(root, skipped)):
        name = path.relative_to(root).as_posix()
        try:
            size = path.stat().st_size
            if size > BIGGEST:
                skipped.append(Skipped(name, f"{size:,} bytes: larger than {BIGGEST:,}"))
                continue
            sources.append(_read(path, name))
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError) as exc:
            failed.append(Failed(name, _line_of(exc, path), _reason(exc)))
    if not sources and not failed:
        raise TritonMigrateError("no Python file here", file=str(root), hint="give the folder that holds the application")
    return Project(root, tuple(sources), tuple(skipped), tuple(failed), frozenset(_distributions(root)), _commit(root))


def _python_files(root: Path, skipped: list[Skipped]) -> Iterator[Path]:
    ignores: dict[Path, pathspec.GitIgnoreSpec] = {}

    def ignored(path: Path, folder: bool) -> bool:
        for parent, spec in ignores.items():
            if parent in path.parents and spec.match_file(path.relative_to(parent).as_posix() + ("/" if folder else "")):
                return True
        return False

    for where, folders, files in os.walk(root):
        here = Path(where)
        if ".gitignore" in files and (here / ".gitignore").is_file():
            lines = (here / ".gitignore").read_bytes().decode(errors="replace").splitlines()
            ignores[here] = pathspec.GitIgnoreSpec.from_lines(lines)
        folders[:] = [name for name in folders if _enters(here / name, root, skipped) and not ignored(here / name, True)]
        for name in files:
            path = here / name
            if not name.endswith(".py") or ignored(path, False):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                skipped.append(Skipped(path.relative_to(root).as_posix(), "link that leaves the folder"))
            elif path.exists() and not path.is_file():  # reading a pipe would wait for ever
                skipped.append(Skipped(path.relative_to(root).as_posix(), "no regular file"))
            else:
                yield path


def _enters(folder: Path, root: Path, skipped: list[Skipped]) -> bool:
    if folder.name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").is_file():
        return False
    if folder.name == GENERATED and (folder / "client.py").is_file():
        skipped.append(Skipped(folder.relative_to(root).as_posix() + "/", "written by triton-migrate"))
        return False
    return not folder.is_symlink()


def _read(path: Path, name: str) -> SourceFile:
    data = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:  # also says so, without the place, when one of the first two lines is no UTF-8
        data.decode()
        raise
    return SourceFile(name, data.decode(encoding), _digest(data))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _line_of(exc: Exception, path: Path) -> int:
    if isinstance(exc, UnicodeDecodeError):
        return bytes(exc.object[: exc.start]).count(b"\n") + 1
    return 1


def _reason(exc: Exception) -> str:
    if isinstance(exc, UnicodeDecodeError):
        return f"not {exc.encoding}: byte 0x{exc.object[exc.start]:02x} (save the file as UTF-8 or declare its encoding)"
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    return str(exc)


def _distributions(root: Path) -> Iterator[str]:
    for where, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS and not (Path(where) / f / "pyvenv.cfg").is_file()]
        for name in files:
            path = Path(where) / name
            if MANIFESTS.fullmatch(name) and not path.is_symlink() and path.is_file() and path.stat().st_size < BIGGEST:
                for found in DISTRIBUTION.finditer(path.read_bytes().decode(errors="replace")):
                    yield re.sub(r"[-_.]+", "-", found[1]).lower()


def _commit(root: Path) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
