"""Takes folders to scan, gives the repositories they hold and a name for each: what a portfolio is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def repositories(folder: Path) -> tuple[Path, ...]:
    """The git repositories right below a folder, or one further down; none where the folder is in a repository itself."""
    if any((above / ".git").exists() for above in (folder, *folder.resolve().parents)):
        return ()
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    found = [path for path in below if (path / ".git").exists()]
    for path in below:
        if path not in found:
            found += sorted(inner.parent for inner in path.glob("*/.git"))
    return tuple(found) if len(found) > 1 else ()


def names(roots: Sequence[Path]) -> tuple[str, ...]:
    """A folder name for each root: its own, with those above it where two have the same."""
    plain = [root.resolve().name for root in roots]
    return tuple(
        name if plain.count(name) == 1 else "-".join(part for part in root.resolve().parts[-3:] if part != "/")
        for name, root in zip(plain, roots, strict=True)
    )
