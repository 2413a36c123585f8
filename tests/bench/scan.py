"""Prints how long scans take beside `ast.parse` over the same files: python tests/bench/scan.py [FOLDER ...]

FOLDER: by default this environment's site-packages. Seconds are of the processor and of one process, so that a busy machine counts
little; nothing is asserted. `cold` scans files that no cache knows, `warm` scans the unchanged folder again; both write the report.
`start` is the command on a folder with one empty file, cold and warm: what it spends however little there is to look at, its bytecode
being compiled and its rules being read as after its first run. `in all` leaves it out.
"""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from triton_migrate import api
from triton_migrate.discover import discover
from triton_migrate.index.cache import FactsCache

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "flask" / "before"


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds for one folder."""

    files: int
    parse: float
    cold: float
    warm: float

    def __str__(self) -> str:
        ratios = f"{self.cold / self.parse:8.1f} {self.warm / self.parse:8.1f}"
        return f"{self.files:6} {self.parse:8.3f} {self.cold:8.3f} {self.warm:8.3f} {ratios}"


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def parse(texts: list[str]) -> None:
    for text in texts:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            ast.parse(text)


def measured(root: Path, cache: FactsCache, out: Path) -> Row:
    """The three side by side."""
    texts = [source.text for source in discover(root).sources]
    parsing = seconds(lambda: parse(texts))
    cold, warm = (seconds(lambda: api.scan(root, out=out, cache=cache)) for _ in range(2))
    return Row(len(texts), parsing, cold, warm)


def started(folder: Path) -> tuple[float, float]:
    """The command on an empty file: cold and warm."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "XDG_CACHE_HOME": str(folder / "cache")}
    found = []
    for name in ("first", "second", "second"):  # the first compiles and reads the rules
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "empty.py").touch()
        before = _children()
        command = [sys.executable, "-m", "triton_migrate", "scan", str(folder / name), "--out", str(folder / "out")]
        subprocess.run(command, check=True, capture_output=True, env=env)
        found.append(_children() - before)
    return found[1], found[2]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    warnings.simplefilter("ignore")
    roots = [Path(name) for name in sys.argv[1:]] or [Path(sysconfig.get_path("purelib"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold, warm = started(folder)
        print(f"start: {cold:.2f} s cold, {warm:.2f} s warm")
        cache, out = FactsCache(folder / "cache" / "triton-migrate"), folder / "out"
        api.scan(FIXTURE, out=out, cache=cache)  # loads every room, and the rules
        print(" files    parse     cold     warm   /parse   /parse")
        rows = []
        for root in roots:
            rows.append(measured(root, cache, out))
            print(f"{rows[-1]}  {root.name}", flush=True)
    if len(rows) > 1:
        print(f"{Row(*(sum(column) for column in zip(*map(astuple, rows), strict=True)))}  in all")


if __name__ == "__main__":
    main()
