"""Prints how long a scan takes, measured against `ast.parse` over the same files: python tests/bench/scan.py [FOLDER]

FOLDER: by default this environment's site-packages. Times are of this machine and moment; nothing is asserted.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from triton_migrate import api
from triton_migrate.discover import discover
from triton_migrate.index.cache import FactsCache
from triton_migrate.index.facts import facts_of


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def parse(texts: list[str]) -> None:
    for text in texts:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            ast.parse(text)


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("purelib"))
    warnings.simplefilter("ignore")
    project = discover(root)
    texts = [source.text for source in project.sources]
    print(f"{root}: {len(texts)} files, {sum(map(len, texts)) / 1e6:.1f} million characters", flush=True)
    parsing = seconds(lambda: parse(texts))
    print(f"ast.parse              {parsing:8.2f} s", flush=True)
    print(f"facts, no cache        {seconds(lambda: facts_of(project.sources)):8.2f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        cache = FactsCache(Path(folder))
        print(f"facts, empty cache     {seconds(lambda: facts_of(project.sources, cache)):8.2f} s", flush=True)
        print(f"facts, full cache      {seconds(lambda: facts_of(project.sources, cache)):8.2f} s", flush=True)
        cold = seconds(lambda: api.scan(root))
        print(f"scan, no cache         {cold:8.2f} s  {cold / parsing:.2f} of ast.parse", flush=True)
        warm = seconds(lambda: api.scan(root, cache=cache))
        print(f"scan, full cache       {warm:8.2f} s  {warm / cold:.2f} of the scan without", flush=True)


if __name__ == "__main__":
    main()
