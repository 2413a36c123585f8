"""Takes a rulebook that was read, gives it packed for the cache, and back: checking a hundred and eighty files costs more than a scan.

The key is the text of every rule file and the code that reads them, so that neither an edited rule nor another version is missed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zlib
from collections.abc import Iterable
from pathlib import Path

from triton_migrate.rulebook.vocabulary import ROLES, Library

CODE = ("vocabulary/*.py", "rulefile.py", "checks.py", "paths.py", "lines.py", "load.py")
ROWS: list[type] = [Library, *ROLES.values()]
RECORDS = {(row.__module__, row.__name__): row for row in ROWS}


class _Libraries(pickle.Unpickler):
    """Reads records of the vocabulary and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) in RECORDS:
            return RECORDS[module, name]
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a rulebook")


def key_of(texts: Iterable[tuple[str, str]]) -> str:
    """The cache key of the rule files with these labels and texts."""
    folder = Path(__file__).parent
    code = "\0".join(path.read_text(encoding="utf-8") for pattern in CODE for path in sorted(folder.glob(pattern)))
    return "rulebook " + hashlib.sha256("\0".join((code, *(part for pair in texts for part in pair))).encode()).hexdigest()


def packed(libraries: tuple[Library, ...]) -> bytes:
    return zlib.compress(pickle.dumps(libraries, pickle.HIGHEST_PROTOCOL), level=1)


def unpacked(data: bytes) -> tuple[Library, ...] | None:
    """None where `data` is not what `packed` wrote."""
    try:
        libraries = _Libraries(io.BytesIO(zlib.decompress(data))).load()
    except (zlib.error, pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return libraries if isinstance(libraries, tuple) and all(isinstance(library, Library) for library in libraries) else None
