"""The story from top to bottom: scan, apply, serve, verify. Read this file first; `cli` only parses arguments and prints."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from triton_migrate import changes
from triton_migrate.base import TritonMigrateError
from triton_migrate.discover import discover
from triton_migrate.index.cache import FactsCache
from triton_migrate.port import Port, port
from triton_migrate.report import html
from triton_migrate.report import json as report_json
from triton_migrate.report.build import document
from triton_migrate.report.document import Report, Verification
from triton_migrate.server import Ports, default_python
from triton_migrate.server import serve as serve_triton
from triton_migrate.study import Study, study

CATEGORIES = ("tight", "loose", "modular", "individual")
REPORT, PAGE, PATCH, REQUESTS = "report.json", "report.html", "migration.patch", "requests.jsonl"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".triton-migrate")


def scan(app: Path, *, out: Path | None = None, rules: Path | None = None, cache: FactsCache | None = None, jobs: int = 1) -> Report:
    """Analyse `app` without running it; with `out`, write report.json and report.html there."""
    found = study(app, rules, cache=cache, jobs=jobs)
    report = document(found, port(found, _ids(found), write=False), done=False)
    _write_report(report, out, cache)
    return report


def apply(
    app: Path,
    *,
    categories: tuple[str, ...] = ("all",),
    endpoints: tuple[str, ...] = (),
    out: Path | None = None,
    write: bool = False,
    allow_dirty: bool = False,
    exports: str = "networks",
    rules: Path | None = None,
    cache: FactsCache | None = None,
    jobs: int = 1,
) -> Report:
    """Plan and generate the port of the selected pipelines; write the patch and the report, and the app itself only when asked to."""
    found = study(app, rules, cache=cache, jobs=jobs)
    planned = port(found, _selected(found, categories, endpoints), exports)
    changes.check(planned.changes, found.project.root)
    report = document(found, planned, done=True)
    if write:
        changes.write(planned.changes, found.project.root, allow_dirty=allow_dirty)
    if out is not None:
        _write_patch(changes.patch_bytes(planned.changes), out, keep=found.project.ported)
    _write_report(report, out, cache)
    return report


def serve(app: Path, *, python: Path | None, ports: Ports, say: Callable[[str], None]) -> None:
    """Run the ported app's models on a real Triton until a signal comes."""
    serve_triton(app, python=python, ports=ports, say=say)


def verify(
    app: Path,
    *,
    requests: Path | None,
    out: Path,
    python: Path | None,
    connections: int,
    seconds: float,
    rounds: int,
    say: Callable[[str], None],
) -> Report:
    """Start original and port, replay the same requests, compare, measure both under load; the result goes into the report."""
    from triton_migrate.verify.load import LoadPlan
    from triton_migrate.verify.run import verify_port
    from triton_migrate.verify.start import Application

    report = report_json.read(out / REPORT)
    if not report["applications"]:
        raise TritonMigrateError(
            "no application object was found to start", file=str(app), hint="define `app = Flask(...)` or `FastAPI(...)` at module level"
        )
    first = report["applications"][0]
    application = Application(first["framework"], first["target"], first["server"], first["factory"])
    load = LoadPlan(connections=connections, seconds=seconds, rounds=rounds) if connections else None
    with _two_trees(app, out / PATCH) as (original, ported):
        recorded = requests or _requests_of(app)
        result = verify_port(original, ported, application, recorded, python=python or default_python(app), load=load, say=say)
    report["verification"] = cast(Verification, result.as_document())
    faster = result.load is not None and result.load.ratio.rps >= 1
    for endpoint in report["endpoints"]:
        if result.passed and (made := endpoint["port"]) is not None and made["status"] == "ported":
            made["proof"] = "faster" if faster else "parity"
    _write_report(report, out)
    return report


# ---------------------------------------------------------------- selection


def _ids(found: Study) -> frozenset[str]:
    return frozenset(p.entry.id for p, _ in found.inferring)


def _selected(found: Study, categories: tuple[str, ...], endpoints: tuple[str, ...]) -> frozenset[str]:
    """The ids of the pipelines that are asked for; unknown names get the near ones."""
    for category in categories:
        if category not in (*CATEGORIES, "all"):
            raise TritonMigrateError(f"unknown category {category!r}", hint=_near(category, (*CATEGORIES, "all")))
    every = {p.entry.id: v.category for p, v in found.inferring}
    for endpoint in endpoints:
        if endpoint not in every:
            known = tuple(p.entry.id for p in found.pipelines)
            why = "no model is reached from it" if endpoint in known else _near(endpoint, tuple(every) or known)
            raise TritonMigrateError(f"no inference endpoint {endpoint!r}", hint=why)
    named = frozenset(endpoints) or frozenset(every)
    return frozenset(e for e in named if "all" in categories or every[e] in categories)


def _near(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:5]
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "there is none in this application"


# ---------------------------------------------------------------- files


def _write_report(report: Report, out: Path | None, cache: FactsCache | None = None) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        report_json.write(report, out / REPORT)
        html.write(report, out / PAGE, cache)


def _write_patch(patch: bytes, out: Path, *, keep: bool) -> None:
    """Where nothing is planned there is no patch, but one that was applied stays: it is the way back."""
    out.mkdir(parents=True, exist_ok=True)
    if patch:
        (out / PATCH).write_bytes(patch)
    elif not keep:
        (out / PATCH).unlink(missing_ok=True)


def _requests_of(app: Path) -> Path:
    for place in (app / REQUESTS, app.parent / REQUESTS):
        if place.is_file():
            return place
    raise TritonMigrateError("no requests to replay", file=str(app / REQUESTS), hint="give a file of recorded requests with --requests")


@contextmanager
def _two_trees(app: Path, patch: Path) -> Iterator[tuple[Path, Path]]:
    """Copies of the app before and after the patch."""
    if not patch.is_file():
        raise TritonMigrateError("there is no port to verify", file=str(patch), hint="run `triton-migrate apply` first")
    if not patch.stat().st_size:
        raise TritonMigrateError(
            "nothing was ported, so there is nothing to verify", file=str(patch), hint="`triton-migrate scan` says why"
        )
    ported = discover(app).ported
    with tempfile.TemporaryDirectory(prefix="triton-migrate-verify-") as folder:
        trees = Path(folder, "original", app.resolve().name), Path(folder, "port", app.resolve().name)
        for tree in trees:
            shutil.copytree(app, tree, ignore=LEFT_OUT, symlinks=True)
        changed, flags = (trees[0], ["-R"]) if ported else (trees[1], [])
        env = {**os.environ, "GIT_CEILING_DIRECTORIES": folder}
        done = subprocess.run(["git", "apply", *flags, str(patch.resolve())], cwd=changed, env=env, capture_output=True, text=True)
        if done.returncode:
            raise TritonMigrateError(
                f"the patch does not fit this tree: {done.stderr.strip().splitlines()[0]}",
                file=str(patch),
                hint="run `triton-migrate apply` again",
            )
        yield trees


__all__ = ["Port", "apply", "scan", "serve", "verify"]
