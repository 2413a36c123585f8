"""Takes a project that was read, gives the report that an earlier scan made of the same files: from the user's cache, else None.

The key is all that a scan looks at: the tool's own files, the rule files, Python, the root with its commit, every source by content, what a
recording saw, and
the other files at the root (manifests, locks) by size and time. What is kept is text: reading it runs nothing, and a row that is
damaged is a miss.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

from triton_migrate import __version__
from triton_migrate.discover import Project
from triton_migrate.index.cache import FactsCache
from triton_migrate.report.document import SCHEMA_VERSION, Report
from triton_migrate.rulebook.where import PACKAGE, rule_files

DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Kept:
    """The texts of one scan, by name: the document, and each file that was written of it."""

    cache: FactsCache | None
    key: str

    @classmethod
    def of(cls, cache: FactsCache | None, project: Project, rules: Path | None, observed: Path | None = None) -> Kept:
        return cls(cache, _key_of(project, rules, observed) if cache is not None else "")

    def texts(self) -> dict[str, str]:
        """All that is kept; nothing when there is no cache."""
        data = self.cache.get([self.key]).get(self.key) if self.cache is not None else None
        try:
            texts = json.loads(zlib.decompress(data)) if data is not None else {}
        except (zlib.error, ValueError, RecursionError):
            return {}
        return texts if isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values()) else {}

    def keep(self, texts: dict[str, str]) -> None:
        if self.cache is not None:
            self.cache.put({self.key: zlib.compress(json.dumps(texts).encode(), level=1)})


def packed(report: Report) -> str:
    return json.dumps(report)


def unpacked(text: str | None) -> Report | None:
    """The document as it was; None where the text is none."""
    try:
        document = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    same = isinstance(document, dict) and document.get("schema_version") == SCHEMA_VERSION
    return cast("Report", document) if same else None


def _key_of(project: Project, rules: Path | None, observed: Path | None) -> str:
    seen = (
        f"{__version__} {sys.version}",
        *(_stamp(os.path.join(where, name)) for where, _, names in os.walk(PACKAGE) for name in sorted(names) if not name.endswith(".pyc")),
        *(_stamp(path) for path in rule_files()),
        str(rules),
        *(_stamp(path) for path in (observed,) if path is not None),
        *_texts(rules),
        f"{project.root}\0{project.commit}\0{project.ported}",
        repr((project.skipped, project.failed, sorted(project.distributions))),
        *(f"{source.path}\0{source.digest}" for source in project.sources),
        *(_stamp(path) for path in sorted(project.root.iterdir()) if path.suffix != ".py" and path.is_file()),
    )
    return "report " + sha256("\n".join(seen).encode(errors="surrogatepass")).hexdigest()


def _stamp(path: str | Path) -> str:
    found = os.stat(path)
    return f"{path}\0{found.st_size}\0{found.st_mtime_ns}"


def _texts(rules: Path | None) -> Iterable[str]:
    for path in sorted(rules.glob("*.toml")) if rules is not None else ():
        yield f"{path}\0{path.read_bytes()!r}"
