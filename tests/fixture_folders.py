"""Takes `fixtures/`, gives its folders: small ones per library, and the runnable apps with their golden ports."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


@dataclass(frozen=True, slots=True)
class Fixture:
    """A folder with `before/`. `case` is its case.toml (apps only): what it makes, how it is started, what it is asked."""

    folder: Path
    case: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.relative_to(FIXTURES).as_posix()

    @property
    def before(self) -> Path:
        return self.folder / "before"

    @property
    def after(self) -> Path:
        return self.folder / "after"

    @property
    def made(self) -> list[Path]:
        """Model files and pictures: small, but made, so git does not keep them."""
        return [self.folder / path for path in self.case.get("makes", ())]

    def make(self) -> None:
        """Run the case's `make` unless everything it makes is there."""
        if not all(path.exists() for path in self.made):
            subprocess.run([sys.executable, self.folder / self.case["make"]], check=True, timeout=240)
        assert [path for path in self.made if not path.exists()] == []

    def copy(self, before_or_after: Path, to: Path) -> Path:
        """The app as version control has it: without what it makes."""
        left_out = {path.relative_to(self.before) for path in self.made if self.before in path.parents}
        shutil.copytree(
            before_or_after,
            to,
            ignore=lambda folder, names: {
                n for n in names if n == "__pycache__" or Path(folder, n).relative_to(before_or_after) in left_out
            },
        )
        return to


def fixtures_in(folder: Path) -> list[Fixture]:
    cases = {path.parent: path.with_name("case.toml") for path in sorted(folder.glob("*/before"))}
    return [Fixture(home, tomllib.loads(case.read_text("utf-8")) if case.exists() else {}) for home, case in cases.items()]


LIBRARIES = fixtures_in(FIXTURES)
APPS = fixtures_in(FIXTURES / "apps")


def tree(root: Path) -> dict[str, str]:
    """Relative path to text of every file, byte-code aside: compared as dicts, two trees differ readably."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode("utf-8", "backslashreplace")
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
