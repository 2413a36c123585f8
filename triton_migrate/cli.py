"""Arguments, printing, exit codes: 0 done, 1 refused or not verified, 2 bad usage or unreadable input. The only caller of `sys.exit`."""

from __future__ import annotations

import difflib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from triton_migrate import __version__, api
from triton_migrate.base import TritonMigrateError
from triton_migrate.index.cache import FactsCache, user_folder
from triton_migrate.report import json as report_json
from triton_migrate.report.baseline import Compared, compared, keys_of
from triton_migrate.report.folders import repositories
from triton_migrate.report.terminal import explained, summaries, verified

if TYPE_CHECKING:
    from triton_migrate.rulebook.vocabulary import Library

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Port Flask and FastAPI apps that serve models to NVIDIA Triton, and prove that the port answers like the original.",
)  # fmt: skip
console = Console()

App = Annotated[Path, typer.Argument(metavar="APP", help="Folder of the application.")]
LastApp = Annotated[Path | None, typer.Argument(metavar="APP", help="Folder of the application; default: that of the last scan.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for everything that is written.")]
Python = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Interpreter that has the app's packages; default: APP/.venv, $VIRTUAL_ENV, or the tool's own."),
]
Rules = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of your own rule files.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file anew, and remember nothing.")]
Jobs = Annotated[
    int, typer.Option(metavar="N", min=1, help="Processes at most; one is enough for a small tree.", show_default="one per core")
]
OUT = Path(".triton-migrate")
CONNECTIONS = (1, 16, 64)
CORES = os.cpu_count() or 1
COLLECTED = 1_000_000  # objects between two looks for cycles: nearly all that a scan makes stays to its end
ROOM = 66_000  # slots of a frame, which is more than half of the 1 MiB that CPython then makes room for
FINDINGS = (*api.CATEGORIES, "blocked", "all")


class Cut(str, Enum):
    """What `--cut` may ask for."""

    MODEL = "model"
    PIPELINE = "pipeline"


class Target(str, Enum):
    """What `--target` may ask for."""

    PYTRITON = "pytriton"
    PYTHON_BACKEND = "python-backend"
    ENSEMBLE = "ensemble"


def _version(asked: bool) -> None:
    if asked:
        console.print(f"triton-migrate {__version__}", highlight=False)
        raise typer.Exit


@cli.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    pass


@cli.command()
def scan(
    apps: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="APP", help="Folder of the application; several, or a folder of repositories, get an index.", show_default="."
        ),
    ] = None,
    fail_on: Annotated[list[str] | None, typer.Option(metavar="WHAT", help=f"Exit with 1 if there is any: {', '.join(FINDINGS)}.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier report.json: tell, and fail for, only what is new since.")
    ] = None,
    sarif: Annotated[bool, typer.Option("--sarif", help="Write report.sarif, too, for code-scanning pages and editors.")] = False,
    out: Out = OUT,
    rules: Rules = None,
    no_cache: NoCache = False,
    jobs: Jobs = CORES,
) -> None:
    """Say what is there, without running it: entries, models, pipelines, and how each would be ported."""
    asked = frozenset(_findings(fail_on or ()))
    roots = _roots(tuple(apps or (Path(),)))
    if len(roots) > 1:
        if baseline is not None or sarif:
            raise TritonMigrateError("--baseline and --sarif are about one application", hint="scan it by itself")
        _scan_many(roots, asked, out, rules, no_cache, jobs)
        return
    (app,) = roots
    earlier = keys_of(baseline) if baseline is not None else None  # read first: it may be the file that the scan writes
    report = api.scan(app, out=out, rules=rules, cache=_cache(no_cache), jobs=jobs)
    since = compared(report, earlier)
    if sarif:
        api.write_sarif(report, out, earlier)
    if earlier is None:
        summaries.scan_summary(report, console, report=out / api.PAGE)
    else:
        summaries.baseline_summary(since, console, report=out / api.PAGE)
    if _any(since, asked):
        raise typer.Exit(1)


def _roots(apps: tuple[Path, ...]) -> tuple[Path, ...]:
    """What to scan: a folder of repositories stands for them."""
    return tuple(root for app in apps for root in ((repositories(app) or (app,)) if app.is_dir() else (app,)))


def _scan_many(roots: tuple[Path, ...], asked: frozenset[str], out: Path, rules: Path | None, no_cache: bool, jobs: int) -> None:
    members = api.scan_many(roots, out=out, rules=rules, cache=_cache(no_cache), jobs=jobs)
    summaries.portfolio_summary(members, console, index=out / api.INDEX)
    if any(member.report is None for member in members):
        raise typer.Exit(2)
    if any(_any(compared(member.report, None), asked) for member in members if member.report is not None):
        raise typer.Exit(1)


def _any(since: Compared, asked: frozenset[str]) -> bool:
    return any(finding.rule in asked or ("all" in asked and finding.rule in api.CATEGORIES) for finding in since.new)


@cli.command()
def apply(
    app: LastApp = None,
    category: Annotated[
        list[str] | None, typer.Option(metavar="CATEGORY", help="tight, loose, modular, individual or all; may be repeated.")
    ] = None,
    endpoint: Annotated[
        list[str] | None, typer.Option(metavar="ENDPOINT", help="Only this pipeline, e.g. 'POST /predict'; may be repeated.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Change the application, all or nothing.")] = False,
    allow_dirty: Annotated[bool, typer.Option("--allow-dirty", help="Write even over uncommitted changes.")] = False,
    export: Annotated[
        bool | None,
        typer.Option(
            "--export/--no-export",
            help="Export all models that can be, estimators too, to Triton's framework backends, or none; default: networks.",
            show_default=False,
        ),
    ] = None,
    cut: Annotated[
        Cut | None,
        typer.Option(help="Where to cut: only the predict call leaves, or all that can; default: the cheapest.", show_default=False),
    ] = None,
    target: Annotated[
        Target | None,
        typer.Option(
            help="pytriton: tight pipelines stay in the application (default); python-backend: outside it if their state can be passed in, "
            "and no ensembles; ensemble: loose pipelines with stages, too.",
            show_default=False,
        ),
    ] = None,
    inprocess: Annotated[
        bool, typer.Option("--inprocess", help="Individual models: write the C API variant, too, which runs Triton in the application.")
    ] = False,
    sync_queue: Annotated[
        bool, typer.Option("--sync-queue", help="Routes that put a task on a queue only to wait for it run it themselves, on Triton.")
    ] = False,
    out: Out = OUT,
    rules: Rules = None,
    no_cache: NoCache = False,
    jobs: Jobs = CORES,
) -> None:
    """Port the selected pipelines: write migration.patch, and the application itself only with --write."""
    root = app or _last_root(out)
    report = api.apply(
        root,
        categories=tuple(category or ("all",)),
        endpoints=tuple(endpoint or ()),
        out=out,
        write=write,
        allow_dirty=allow_dirty,
        exports={None: "networks", True: "all", False: "none"}[export],
        cut="cheapest" if cut is None else cut.value,
        target="" if target is None else target.value,
        inprocess=inprocess,
        sync_queue=sync_queue,
        rules=rules,
        cache=_cache(no_cache),
        jobs=jobs,
    )
    summaries.apply_summary(report, console)
    if report["changes"]:
        console.print(f"{'written to' if write else 'patch:'} {root if write else out / api.PATCH}", highlight=False, soft_wrap=True)
    console.print(f"report: {out / api.PAGE}", highlight=False, soft_wrap=True)
    if report["not_ported"]:
        raise typer.Exit(1)


@cli.command()
def serve(
    app: LastApp = None,
    http_port: Annotated[int, typer.Option(metavar="PORT", help="HTTP port.")] = 8000,
    grpc_port: Annotated[int, typer.Option(metavar="PORT", help="gRPC port.")] = 8001,
    metrics_port: Annotated[int, typer.Option(metavar="PORT", help="Prometheus port.")] = 8002,
    python: Python = None,
    out: Out = OUT,
) -> None:
    """Run the ported app's models on a real Triton, in the foreground, on the loopback interface."""
    from triton_migrate.server import Ports

    api.serve(app or _last_root(out), python=python, ports=Ports(http_port, grpc_port, metrics_port), say=_say)


@cli.command()
def check(
    repository: Annotated[Path, typer.Argument(metavar="REPOSITORY", help="Model repository, or a ported app that has one.")],
) -> None:
    """Find what Triton would refuse or not do in a model repository, written by hand or by us, without a server."""
    from triton_migrate.check import check as problems_of
    from triton_migrate.server import location

    problems = problems_of(location(repository) if location(repository).is_dir() else repository)
    summaries.check_summary(problems, console)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(1)


@cli.command()
def verify(
    app: LastApp = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSONL of requests; default: requests.jsonl in or beside APP, else some are made up."),
    ] = None,
    connections: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Concurrent connections of the load test; may be repeated, the middle one counts; 0 leaves it out.",
            show_default="1, 16 and 64",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", min=0.5, help="Seconds of load per side and round.")] = 3.0,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Alternating rounds of load.")] = 3,
    rate: Annotated[float | None, typer.Option(metavar="R", min=0.1, help="Load of R requests a second, too, whatever comes back.")] = None,
    application: Annotated[
        str | None, typer.Option(metavar="MODULE:NAME", help="Which application to start, where there are several.")
    ] = None,
    python: Python = None,
    out: Out = OUT,
) -> None:
    """Run original and port (this starts the user's code), replay the same requests, compare, measure."""
    signal.signal(signal.SIGTERM, _terminated)
    report = api.verify(
        app or _last_root(out),
        requests=requests,
        out=out,
        python=python,
        connections=tuple(connections) if connections else CONNECTIONS,
        seconds=seconds,
        rounds=rounds,
        rate=rate,
        application=application,
        say=_say,
    )
    verified.verify_summary(report, console)
    console.print(f"report: {out / api.PAGE}", highlight=False, soft_wrap=True)
    done = report["verification"]
    if done is None or not done["passed"]:
        raise typer.Exit(1)


@cli.command()
def record(
    app: App,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What starts the application; put it after --.")],
    port: Annotated[int, typer.Option(metavar="PORT", help="Port that the application listens on.")] = 5000,
    listen: Annotated[int, typer.Option(metavar="PORT", help="Port to send the requests to.")] = 5001,
    out: Out = OUT,
) -> None:
    """Run the application behind a proxy that writes what clients send to requests.jsonl, for `verify`."""
    api.record(app, tuple(command), out=out, upstream=port, listen=listen, cache=_cache(False), say=_say)


@cli.command()
def explain(
    app: App, entry: Annotated[str, typer.Argument(metavar="ENDPOINT", help="The pipeline, e.g. 'POST /predict'.")], rules: Rules = None
) -> None:
    """Show one pipeline: stages, data, evidence, verdict, plan."""
    explained.explain(entry, api.scan(app, rules=rules, cache=_cache(False)), console)


@cli.command(name="rules")
def rules_(
    library: Annotated[str | None, typer.Argument(metavar="LIBRARY", help="Import name of a library.")] = None, rules: Rules = None
) -> None:
    """List the rule files, or print what is known about one library."""
    from triton_migrate.rulebook.load import load_rulebook

    book = load_rulebook(rules)
    if library is None:
        table = Table("library", "imports", "rules", box=None)
        for known in sorted(book.libraries, key=lambda lib: lib.name.lower()):
            table.add_row(known.name, ", ".join(known.imports), str(len(known.rules)))
        console.print(table)
        return
    found = book.library_of(library) or book.by_package(library)
    if found is None:
        names = [root for lib in book.libraries for root in lib.imports]
        raise TritonMigrateError(
            f"no rules for {library!r}",
            hint=f"known: {', '.join(difflib.get_close_matches(library, names, cutoff=0.4) or sorted(names)[:8])}",
        )
    _print_library(found)


def _print_library(found: Library) -> None:
    console.print(f"{found.name} (import {', '.join(found.imports)}), {found.origin}", highlight=False)
    table = Table("role", "api", "rule", box=None)
    for rule in found.rules:
        table.add_row(rule.role, "\n".join(rule.api), rule.origin)
    console.print(table)


def _findings(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in FINDINGS:
            close = difflib.get_close_matches(name, FINDINGS, n=1, cutoff=0)
            raise TritonMigrateError(f"--fail-on does not know {name!r}", hint=f"did you mean {close[0]!r}?")
        yield name


def _cache(no_cache: bool) -> FactsCache | None:
    return None if no_cache else FactsCache(user_folder())


def _last_root(out: Path) -> Path:
    if not (out / api.REPORT).is_file():
        raise TritonMigrateError("no APP given and no earlier scan here", hint="run `triton-migrate scan APP` first, or name the folder")
    return Path(report_json.read(out / api.REPORT)["root"])


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
    sys.stdout.flush()


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _in_one_piece(work: Callable[[], object]) -> None:
    """Do it where the frames of all that it calls lie in one piece of memory.

    CPython has 16 KiB for frames at a time, and gives each piece back when the calls in it return. A scan, whose calls go up and down over
    the border of such a piece, asked the system for memory 53,000 times: a twentieth of its time.
    """

    def called() -> None:
        work()

    called.__code__ = called.__code__.replace(co_stacksize=ROOM)
    called()


def main() -> None:
    """The console script."""
    gc.set_threshold(COLLECTED)
    try:
        _in_one_piece(cli)
    except TritonMigrateError as exc:
        Console(stderr=True).print(f"error: {exc}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()  # memory goes with the process: taking a scan's objects apart first would be a fifteenth of its time
