"""The story from top to bottom: scan, apply, serve, verify. Read this file first; `cli` only parses arguments and prints.

The rooms that find out, port, serve and verify are loaded where they are used: loading them takes longer than a scan whose report is kept.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from triton_migrate.base import TritonMigrateError
from triton_migrate.discover import discover
from triton_migrate.index.cache import FactsCache
from triton_migrate.report import json as report_json
from triton_migrate.report.document import Application as ApplicationRow
from triton_migrate.report.document import Report
from triton_migrate.report.kept import DOCUMENT, Kept, packed, unpacked
from triton_migrate.report.proven import proven
from triton_migrate.report.verification import Verification

if TYPE_CHECKING:
    from triton_migrate.port import Port
    from triton_migrate.report.page.portfolio import Member
    from triton_migrate.server import Ports
    from triton_migrate.study import Study
    from triton_migrate.verify.records import Exercised

CATEGORIES = ("tight", "loose", "modular", "individual")
REPORT, PAGE, PATCH, REQUESTS, SARIF = "report.json", "report.html", "migration.patch", "requests.jsonl", "report.sarif"
GENERATED, OBSERVED = "generated.jsonl", "observed.jsonl"
INDEX, PORTFOLIO = "index.html", "portfolio.json"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".triton-migrate")


def scan(app: Path, *, out: Path | None = None, rules: Path | None = None, cache: FactsCache | None = None, jobs: int = 1) -> Report:
    """Analyse `app` without running it; with `out`, write report.json and report.html there."""
    project, observed = discover(app), _observed_of(app, out)
    kept = Kept.of(cache, project, rules, observed)
    texts = kept.texts()
    if (report := unpacked(texts.get(DOCUMENT))) is None:
        from triton_migrate.port import port
        from triton_migrate.report.filled.build import document
        from triton_migrate.study import study

        found = study(project, rules, cache=cache, jobs=jobs, observed=observed)
        report = document(found, port(found, _ids(found), write=False), done=False, options=_told("--rules", rules))
        texts = {}
    files = {name: texts[name] for name in (REPORT, PAGE) if name in texts} or _files_of(report, out, cache)
    if texts.keys() != {DOCUMENT, *files}:
        kept.keep({DOCUMENT: packed(report), **files})
    _write_files(files, out)
    return report


def scan_many(
    apps: tuple[Path, ...], *, out: Path, rules: Path | None = None, cache: FactsCache | None = None, jobs: int = 1
) -> tuple[Member, ...]:
    """Scan each application into a folder of its own below `out`, and write index.html over all. One that cannot be read is named."""
    from triton_migrate.report.folders import names
    from triton_migrate.report.page import portfolio

    members = []
    for name, app in zip(names(apps), apps, strict=True):
        try:
            members.append(portfolio.Member(name, name, scan(app, out=out / name, rules=rules, cache=cache, jobs=jobs)))
        except TritonMigrateError as trouble:
            members.append(portfolio.Member(name, name, None, str(trouble)))
    _write_files({INDEX: portfolio.render(members), PORTFOLIO: portfolio.dumps(members)}, out)
    return tuple(members)


def apply(
    app: Path,
    *,
    categories: tuple[str, ...] = ("all",),
    endpoints: tuple[str, ...] = (),
    out: Path | None = None,
    write: bool = False,
    allow_dirty: bool = False,
    exports: str = "networks",
    cut: str = "cheapest",
    target: str = "",
    inprocess: bool = False,
    sync_queue: bool = False,
    rules: Path | None = None,
    cache: FactsCache | None = None,
    jobs: int = 1,
) -> Report:
    """Plan and generate the port of the selected pipelines; write the patch and the report, and the app itself only when asked to."""
    from triton_migrate import changes
    from triton_migrate.plan.staged.waiting import PLAIN, settled
    from triton_migrate.plan.staged.workflows import JOINED, joined
    from triton_migrate.port import port
    from triton_migrate.report.filled.build import document
    from triton_migrate.study import study

    found = study(discover(app), rules, cache=cache, jobs=jobs, sharing=True, observed=_observed_of(app, out))

    def ported(seen: Study) -> Port:
        chosen = _selected(seen, categories, endpoints)
        return port(seen, chosen, exports, cut=cut, target=target, inprocess=inprocess, sync_queue=sync_queue)

    planned = ported(found)
    for reshaped, reason in ((joined, JOINED), (settled, PLAIN)):
        if texts := reshaped(found):
            whole = {**found.project.instead, **texts}
            other = study(found.project.with_texts(whole), rules, cache=cache, jobs=jobs, sharing=True, observed=_observed_of(app, out))
            tried = ported(other)
            if _stages(tried) > _stages(planned):
                found, planned = other, replace(tried, changes=changes.onto(tried.changes, whole, found.project.root, reason))
    changes.check(planned.changes, found.project.root)
    options = (
        *(word for category in categories if category != "all" for word in ("--category", category)),
        *(word for endpoint in endpoints for word in ("--endpoint", endpoint)),
        *({"all": ("--export",), "none": ("--no-export",)}.get(exports, ())),
        *_told("--cut", cut if cut != "cheapest" else ""),
        *_told("--target", target),
        *(("--inprocess",) if inprocess else ()),
        *(("--sync-queue",) if sync_queue else ()),
        *_told("--rules", rules),
    )
    report = document(found, planned, done=True, options=options)
    if write:
        changes.write(planned.changes, found.project.root, allow_dirty=allow_dirty)
    if out is not None:
        _write_patch(changes.patch_bytes(planned.changes), out, keep=found.project.ported)
    _write_report(report, out, cache)
    return report


def serve(app: Path, *, python: Path | None, ports: Ports, say: Callable[[str], None]) -> None:
    """Run the ported app's models on a real Triton until a signal comes."""
    from triton_migrate.server import serve as serve_triton

    serve_triton(app, python=python.absolute() if python is not None else None, ports=ports, say=say)


def verify(
    app: Path,
    *,
    requests: Path | None,
    out: Path,
    python: Path | None,
    connections: tuple[int, ...],
    seconds: float,
    rounds: int,
    rate: float | None = None,
    application: str | None = None,
    say: Callable[[str], None],
) -> Report:
    """Start original and port, replay the same requests, compare, measure both under load; the result goes into the report.

    Where no requests were recorded, some are made up, tried on the original, and written beside the report.
    Of several `connections` the middle one is measured in `rounds`, the others once; 0 leaves the load out.
    """
    from triton_migrate.report.matching import Infers
    from triton_migrate.server import default_python
    from triton_migrate.verify.load import LoadPlan
    from triton_migrate.verify.run import verify_port
    from triton_migrate.verify.start import Application, refuse_without_client

    report = report_json.read(out / REPORT)
    chosen = _application(report, application)
    started = Application(chosen["framework"], chosen["target"], chosen["server"], chosen["factory"], chosen["script"] or "")
    if {row["port"]["status"] for row in report["endpoints"] if row["port"] is not None} & {"portable", "ported"} == {"portable"}:
        say(f"{out / REPORT} is of a scan made after the port: run `triton-migrate apply` once more to see changes and proofs in it")
    levels = sorted({number for number in connections if number})
    middle = levels[len(levels) // 2] if levels else 0
    others = tuple(number for number in levels if number != middle)
    load = LoadPlan(middle, others, rate, seconds, rounds) if levels else None
    begun = time.monotonic()
    with _two_trees(app, out / PATCH) as (original, ported, fresh):
        recorded = requests or _requests_of(app, out)
        interpreter = (python or default_python(app)).absolute()  # it is started in the copies; its links stay, as they name a venv
        exercised: tuple[Exercised, ...] = ()
        refuse_without_client(ported, interpreter)
        if recorded is None:
            from triton_migrate.report.asking import routes
            from triton_migrate.verify.generated import generate

            recorded = out / GENERATED
            exercised = generate(fresh(), started, routes(report), recorded, python=interpreter, say=say)
        result = verify_port(
            original, ported, started, recorded, python=interpreter, load=load, fresh=fresh, infers=Infers(report), say=say
        )
    taken = round(time.monotonic() - begun, 1)
    report["verification"] = cast(Verification, {**replace(result, exercised=exercised).as_document(), "seconds": taken})
    report = proven(report)
    _write_report(report, out)
    return report


def record(
    app: Path,
    command: tuple[str, ...],
    *,
    out: Path,
    upstream: int,
    listen: int,
    cache: FactsCache | None = None,
    say: Callable[[str], None],
) -> Path:
    """Run the command that starts `app` and write what clients send to a proxy before it; gives the file of requests.

    Beside it, observed.jsonl says what the values in the functions around the models were: the next `scan` and `apply` read it.
    """
    from triton_migrate.report.matching import Infers
    from triton_migrate.study import study
    from triton_migrate.verify.observe import observing, places
    from triton_migrate.verify.record import record_app

    found = study(app, cache=cache)
    with observing(found.project, places(found), out / OBSERVED, say=say) as env:
        infers = Infers(scan(app, cache=cache))
        record_app(app, command, out / REQUESTS, upstream=upstream, listen=listen, infers=infers, env=env, say=say)
    return out / REQUESTS


# ---------------------------------------------------------------- selection


def _told(option: str, value: str | Path | None) -> tuple[str, ...]:
    return (option, str(value)) if value else ()


def _ids(found: Study) -> frozenset[str]:
    return frozenset(p.entry.id for p, _ in (*found.inferring, *found.consuming))


def _stages(planned: Port) -> int:
    """The stages that Triton wires."""
    from triton_migrate.generate.models import Written

    return sum(len(w.served.steps) for w in planned.models if isinstance(w, Written))


def _selected(found: Study, categories: tuple[str, ...], endpoints: tuple[str, ...]) -> frozenset[str]:
    """The ids of the pipelines that are asked for; unknown names get the near ones."""
    for category in categories:
        if category not in (*CATEGORIES, "all"):
            raise TritonMigrateError(f"unknown category {category!r}", hint=_near(category, (*CATEGORIES, "all")))
    every = {p.entry.id: v.category for p, v in (*found.inferring, *found.consuming)}
    for endpoint in endpoints:
        if endpoint not in every:
            known = tuple(p.entry.id for p in found.pipelines)
            why = "no model is reached from it" if endpoint in known else _near(endpoint, tuple(every) or known)
            raise TritonMigrateError(f"no inference endpoint {endpoint!r}", hint=why)
    named = frozenset(endpoints) or frozenset(every)
    return frozenset(e for e in named if "all" in categories or every[e] in categories)


def _application(report: Report, target: str | None) -> ApplicationRow:
    """The application of that target; without one, that of the first ported pipeline's file, else the likeliest."""
    rows = report["applications"]
    if not rows:
        hint = "define `app = Flask(...)` or `FastAPI(...)` at module level"
        raise TritonMigrateError("no application object was found to start", file=report["root"], hint=hint)
    if target is None:
        ported = [e["file"] for e in report["endpoints"] if (made := e["port"]) is not None and made["status"] == "ported"]
        return next((row for file in ported for row in rows if row["file"] == file), rows[0])
    found = next((row for row in rows if row["target"] == target), None)
    if found is None:
        raise TritonMigrateError(f"no application {target!r}", hint=_near(target, tuple(row["target"] for row in rows)))
    return found


def _near(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:5]
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "there is none in this application"


# ---------------------------------------------------------------- files


def _write_report(report: Report, out: Path | None, cache: FactsCache | None = None) -> None:
    """The files of a report; report.sarif, too, where a scan was asked for it."""
    _write_files(_files_of(report, out, cache), out)
    if out is not None and (out / SARIF).is_file():
        write_sarif(report, out)


def _files_of(report: Report, out: Path | None, cache: FactsCache | None) -> dict[str, str]:
    """The text of each file of a report, by name; none where nothing is to be written."""
    if out is None:
        return {}
    from triton_migrate.report.page import html

    return {REPORT: report_json.dumps(report), PAGE: html.render(report, cache)}


def _write_files(files: dict[str, str], out: Path | None) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="\n")


def write_sarif(report: Report, out: Path, known: frozenset[str] | None = None) -> None:
    """report.sarif beside the others; `known`: the keys of a baseline's findings."""
    from triton_migrate.report import sarif

    _write_files({SARIF: sarif.dumps(report, known)}, out)


def _write_patch(patch: bytes, out: Path, *, keep: bool) -> None:
    """Where nothing is planned there is no patch, but one that was applied stays: it is the way back."""
    out.mkdir(parents=True, exist_ok=True)
    if patch:
        (out / PATCH).write_bytes(patch)
    elif not keep:
        (out / PATCH).unlink(missing_ok=True)


def _requests_of(app: Path, out: Path) -> Path | None:
    """The recorded requests in their usual places."""
    return next((place for place in (app / REQUESTS, app.parent / REQUESTS, out / REQUESTS) if place.is_file()), None)


def _observed_of(app: Path, out: Path | None) -> Path | None:
    """What a recording saw of the values, in its usual places."""
    return next((place for place in (app / OBSERVED, *((out / OBSERVED,) if out is not None else ())) if place.is_file()), None)


@contextmanager
def _two_trees(app: Path, patch: Path) -> Iterator[tuple[Path, Path, Callable[[], Path]]]:
    """Copies of the app before and after the patch, and what makes one more copy of the app before it."""
    if not patch.is_file():
        hint = "run `triton-migrate apply` first; where it planned nothing, the report says why"
        raise TritonMigrateError("there is no port to verify", file=str(patch), hint=hint)
    if not patch.stat().st_size:
        raise TritonMigrateError(
            "nothing was ported, so there is nothing to verify", file=str(patch), hint="`triton-migrate scan` says why"
        )
    ported = discover(app).ported
    with tempfile.TemporaryDirectory(prefix="triton-migrate-verify-") as folder:

        def tree(name: str, *, before: bool) -> Path:
            copy = Path(tempfile.mkdtemp(prefix=name, dir=folder), app.resolve().name)
            shutil.copytree(app, copy, ignore=LEFT_OUT, symlinks=True)
            if before is ported:
                _patched(copy, patch, ["-R"] if ported else [])
            return copy

        yield tree("original", before=True), tree("port", before=False), lambda: tree("again", before=True)


def _patched(tree: Path, patch: Path, flags: list[str]) -> None:
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(["git", "apply", *flags, str(patch.resolve())], cwd=tree, env=env, capture_output=True, text=True)
    if done.returncode:
        raise TritonMigrateError(
            f"the patch does not fit this tree: {done.stderr.strip().splitlines()[0]}",
            file=str(patch),
            hint="run `triton-migrate apply` again",
        )


__all__ = ["apply", "record", "scan", "scan_many", "serve", "verify", "write_sarif"]
