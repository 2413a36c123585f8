"""Prints how long scans take beside `ast.parse` over the same files: python tests/bench/scan.py [FOLDER ...]

FOLDER: by default this environment's site-packages. Seconds are of the processor and of one process, so that a busy machine does not
count; nothing is asserted. `start` is what the command spends before it looks at anything, its bytecode being compiled as after an
installation; the first folder also pays for what is imported only when a report is written.
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


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds for one folder. `cold` fills the cache that `warm` reads."""

    files: int
    parse: float
    scan: float
    cold: float
    warm: float

    def __str__(self) -> str:
        ratios = f"{self.scan / self.parse:8.2f} {self.warm / self.parse:8.2f}"
        return f"{self.files:6} {self.parse:8.2f} {self.scan:8.2f} {self.cold:8.2f} {self.warm:8.2f} {ratios}"


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def parse(texts: list[str]) -> None:
    for text in texts:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            ast.parse(text)


def measured(root: Path) -> Row:
    texts = [source.text for source in discover(root).sources]
    parsing = seconds(lambda: parse(texts))
    with tempfile.TemporaryDirectory() as folder:
        out, cache = Path(folder, "out"), FactsCache(Path(folder, "cache"))
        scan = seconds(lambda: api.scan(root, out=out))
        cold, warm = (seconds(lambda: api.scan(root, out=out, cache=cache)) for _ in range(2))
    return Row(len(texts), parsing, scan, cold, warm)


def started() -> float:
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": folder}
        for _ in range(2):  # the first compiles
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            subprocess.run([sys.executable, "-m", "triton_migrate", "--version"], check=True, capture_output=True, env=env)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    warnings.simplefilter("ignore")
    roots = [Path(name) for name in sys.argv[1:]] or [Path(sysconfig.get_path("purelib"))]
    print(f"start {started():.2f} s")
    print(" files    parse     scan     cold     warm   /parse  w/parse")
    rows = []
    for root in roots:
        rows.append(measured(root))
        print(f"{rows[-1]}  {root.name}", flush=True)
    if len(rows) > 1:
        print(f"{Row(*(sum(column) for column in zip(*map(astuple, rows), strict=True)))}  in all")


if __name__ == "__main__":
    main()
