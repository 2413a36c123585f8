"""Takes nothing, gives the rule files that ship with the tool: package data when installed, `rules/` in a source tree."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def rule_files() -> tuple[Path, ...]:
    """The shipped rule files, by name; none at all means a broken installation, which the caller reports."""
    installed = PACKAGE / "_rules"
    folder = installed if installed.is_dir() else PACKAGE.parent / "rules"
    return tuple(sorted(folder.glob("*.toml")))
