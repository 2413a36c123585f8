"""Takes the content of a file, gives the facts an earlier scan lowered from it: one database in the user's own cache folder.

Never in the scanned folder or the current one: what is unpickled must not come out of somebody's repository. A cache that cannot be
opened, read or written is a cache miss, not an error.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from triton_migrate import __version__
from triton_migrate.index import ir

BIGGEST = 256 * 1024 * 1024  # bytes of packed facts; those used longest ago go first
PRUNE = """
    DELETE FROM facts WHERE key IN
    (SELECT key FROM (SELECT key, sum(length(facts)) OVER (ORDER BY used DESC, key) AS upto FROM facts) WHERE upto > ?)
"""
AT_ONCE = 500  # keys in one query: SQLite's own limit is 999 on old versions
BUILTINS = frozenset({"complex", "Ellipsis"})  # constants that a source file can hold and pickle writes by name


class _Facts(pickle.Unpickler):
    """Reads records of `index.ir` and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        if module == ir.__name__ or (module == "builtins" and name in BUILTINS):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a file's facts")


def packed(facts: ir.ModuleFacts) -> bytes | None:
    """As they are kept, and as worker processes send them; None where they are nested too deeply for pickle."""
    try:
        return zlib.compress(pickle.dumps(facts, pickle.HIGHEST_PROTOCOL), level=1)
    except RecursionError:
        return None


def unpacked(data: bytes) -> ir.ModuleFacts | None:
    """None where `data` is not what `packed` wrote."""
    try:
        facts = _Facts(io.BytesIO(zlib.decompress(data))).load()
    except (zlib.error, pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return facts if isinstance(facts, ir.ModuleFacts) else None


def user_folder() -> Path:
    """Where this platform keeps a user's caches."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named, "triton-migrate")
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local", "triton-migrate", "Cache")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "triton-migrate"
    return Path.home() / ".cache" / "triton-migrate"


def _version() -> bytes:
    """Facts differ with the code that makes them and with the Python whose `ast` it reads."""
    code = (Path(__file__).with_name(name).read_bytes() for name in ("ir.py", "lower.py"))
    return b"\0".join([__version__.encode(), sys.version.encode(), *code])


@dataclass(frozen=True, slots=True)
class FactsCache:
    """Packed facts by the digest of a file's content."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "facts.sqlite"

    def get(self, digests: Iterable[str]) -> dict[str, bytes]:
        """What is known of these files."""
        keys = {_key(digest): digest for digest in digests}
        found: dict[str, bytes] = {}

        def look_up(database: sqlite3.Connection) -> None:
            for some in _parts(tuple(keys)):
                rows = database.execute(f"SELECT key, facts FROM facts WHERE key IN ({','.join('?' * len(some))})", some)
                found.update((keys[key], facts) for key, facts in rows)
            now = int(time.time())
            database.executemany("UPDATE facts SET used = ? WHERE key = ?", [(now, _key(digest)) for digest in found])

        self._transaction(look_up)
        return found

    def put(self, made: dict[str, bytes]) -> None:
        """Keep these, and no more than `BIGGEST` in all."""
        now = int(time.time())
        rows = [(_key(digest), now, facts) for digest, facts in made.items()]

        def keep(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", rows)
            database.execute(PRUNE, (BIGGEST,))

        self._transaction(keep)

    def _transaction(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """All of `work` or, where the disk or the file does not play along, nothing."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = sqlite3.connect(self.file, timeout=5)
        except (OSError, sqlite3.Error):
            return
        try:
            with database:
                database.execute("CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, used INTEGER, facts BLOB)")
                work(database)
        except sqlite3.OperationalError:  # locked, full, read-only
            return
        except sqlite3.DatabaseError:  # no database, or a broken one: the next scan makes a new one
            with suppress(OSError):
                self.file.unlink()
        finally:
            database.close()


def _key(digest: str) -> str:
    return hashlib.sha256(_VERSION + digest.encode()).hexdigest()


def _parts(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


_VERSION = _version()
