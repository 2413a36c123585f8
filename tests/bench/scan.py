"""Prints how long scans take beside `ast.parse` over the same files: python tests/bench/scan.py [FOLDER ...]

FOLDER: one application each (`repositories/*`), by default this environment's site-packages. Seconds are of the processor, so that a
busy machine counts little; nothing is asserted. `cold` scans files that no cache knows, `warm` scans the unchanged folder again; both
in one process, and both write the report. `start` is the command on a folder with one empty file, cold and warm: what it spends however
little there is to look at, its bytecode being compiled and its rules being read as after its first run.

`command` is `triton-migrate scan FOLDER` by itself, cold, with its start. The last line is what is asked of it: that all of them take
less than twice what `ast.parse` on their files and that many starts take.
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
    command: float

    def __str__(self) -> str:
        ratios = f"{self.cold / self.parse:8.1f} {self.warm / self.parse:8.1f}"
        return f"{self.files:6} {self.parse:8.3f} {self.cold:8.3f} {self.warm:8.3f} {ratios} {self.command:8.3f}"


@dataclass(frozen=True, slots=True)
class Command:
    """`triton-migrate scan` as it is run, with bytecode and caches of its own in `folder`."""

    folder: Path

    def seconds(self, root: Path) -> float:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"), "XDG_CACHE_HOME": str(self.folder / "cache")}
        before = _children()
        command = [sys.executable, "-m", "triton_migrate", "scan", str(root), "--out", str(self.folder / "out"), "--jobs", "1"]
        subprocess.run(command, check=True, capture_output=True, env=env)
        return _children() - before

    def started(self) -> tuple[float, float]:
        """On a folder with one empty file: cold and warm."""
        for name in ("first", "second"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "empty.py").touch()
        self.seconds(self.folder / "first")  # compiles, and reads the rules
        return self.seconds(self.folder / "second"), self.seconds(self.folder / "second")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def parse(texts: list[str]) -> None:
    for text in texts:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            ast.parse(text)


def measured(root: Path, cache: FactsCache, out: Path, command: Command) -> Row:
    """All side by side."""
    texts = [source.text for source in discover(root).sources]
    parsing = seconds(lambda: parse(texts))
    cold, warm = (seconds(lambda: api.scan(root, out=out, cache=cache)) for _ in range(2))
    return Row(len(texts), parsing, cold, warm, command.seconds(root))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    warnings.simplefilter("ignore")
    roots = [Path(name) for name in sys.argv[1:]] or [Path(sysconfig.get_path("purelib"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = Command(folder / "command")
        cold, warm = command.started()
        print(f"start: {cold:.2f} s cold, {warm:.2f} s warm")
        cache, out = FactsCache(folder / "cache" / "triton-migrate"), folder / "out"
        api.scan(FIXTURE, out=out, cache=cache)  # loads every room, and the rules
        print(" files    parse     cold     warm   /parse   /parse  command")
        rows = []
        for root in roots:
            rows.append(measured(root, cache, out, command))
            print(f"{rows[-1]}  {root.name}", flush=True)
    total = Row(*(sum(column) for column in zip(*map(astuple, rows), strict=True)))
    print(f"{total}  in all")
    least = total.parse + len(rows) * cold
    starts = f"{total.parse:.2f} s of ast.parse + {len(rows)} starts of {cold:.2f} s"
    print(f"{total.command:.1f} s = {total.command / least:.2f} x {least:.1f} s ({starts}); asked for: less than 2 x")


if __name__ == "__main__":
    main()
