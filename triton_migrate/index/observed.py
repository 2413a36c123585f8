"""Takes observed.jsonl, which `record` writes, gives what was seen at places of the program: types, shapes and ranges of values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triton_migrate.base import SourceFile, TritonMigrateError
from triton_migrate.index import ir

Tree = dict[str, Any]  # of a value: see verify.probes
SHOWN = 3  # shapes in one line


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen at one place."""

    trees: tuple[Tree, ...]

    @property
    def said(self) -> str:
        """As one line: `ndarray float32, shape 1 × 4, values 0.1 to 7.9`."""
        kinds = dict.fromkeys(_named(tree) for tree in self.trees)
        shapes = list(dict.fromkeys(" × ".join(map(str, t["shape"])) for t in self.trees if t.get("shape")))
        ranges = [t["range"] for t in self.trees if t.get("range")]
        sizes = [t["length"] for t in self.trees if "length" in t]
        least, most = min((r[0] for r in ranges), default=0), max((r[1] for r in ranges), default=0)
        return ", ".join((
            " or ".join(kinds),
            *(["shape " + " or ".join(shapes[:SHOWN]) + (" …" if len(shapes) > SHOWN else "")] if shapes else ()),
            *([f"length {_span(min(sizes), max(sizes))}"] if sizes else ()),
            *([f"values {_span(least, most)}"] if ranges else ()),
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observed:
    """What a recording saw, by place. `stale` are files that have changed since: what was seen there counts no more."""

    places: Mapping[str, Seen] = field(default_factory=dict)
    stale: tuple[str, ...] = ()

    def at(self, file: str, at: ir.At, parameter: str = "") -> Seen | None:
        """What an expression was, or a parameter of the function at that place."""
        return self.places.get(":".join(map(str, (file, *at, *((parameter,) if parameter else ())))))


def read(path: Path, sources: Iterable[SourceFile]) -> Observed:
    """The observations of a file that still is as it was when they were made."""
    known = {source.path: source.digest for source in sources}
    files: dict[str, str] = {}
    found: dict[str, list[Tree]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            if "files" in row:
                files |= row["files"]
            else:
                found.setdefault(row["place"], []).append(row["value"])
        except (ValueError, KeyError, TypeError) as trouble:
            hint = "`triton-migrate record` writes it anew; delete it to do without"
            raise TritonMigrateError(f"no observation: {trouble}", file=str(path), line=number, hint=hint) from trouble
    stale = tuple(file for file, digest in files.items() if known.get(file) != digest)
    kept = {place: Seen(tuple(trees)) for place, trees in found.items() if place.split(":")[0] not in stale}
    return Observed(kept, stale)


def _named(tree: Tree) -> str:
    name = tree["type"].rpartition(".")[2]
    inner = " or ".join(dict.fromkeys(_named(item) for item in tree.get("items") or ()))
    return " ".join(filter(None, (name, tree.get("dtype", "") if tree.get("dtype") != name else "", f"of {inner}" if inner else "")))


def _span(least: float, most: float) -> str:
    return f"{least:.4g}" if least == most else f"{least:.4g} to {most:.4g}"
