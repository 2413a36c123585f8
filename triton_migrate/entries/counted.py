"""Takes the application's start-up files and settings, gives how many workers serve it, so that it has so many copies of its models at
once, and which GPUs it lets itself see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.rulebook.vocabulary import TaskOption

FILES = ("Procfile", "Dockerfile*", "docker-compose*.y*ml", "compose*.y*ml", "*.sh", "*.service", "supervisord.conf")
STARTS = re.compile(r"\b(?:gunicorn|uvicorn|hypercorn|celery|fastapi)\b.*?(?:--workers|--concurrency|-w|-c)[=\s\"',]+(\d+)\b")
SETTINGS = ("gunicorn.conf.py", "gunicorn_conf.py", "gunicorn.py")
MOST = 64
VISIBLE = "CUDA_VISIBLE_DEVICES"
SEES = re.compile(rf"\b{VISIBLE}[\"']?\s*[=:]\s*[\"']?(-?\d+(?:,\d+)*)")


def worker_count(matcher: Matcher, root: Path) -> tuple[int, str]:
    """The largest number that is said, with the place; (1, "") where none is."""
    found = (pair for pair in (*_set(matcher), *_started(root)) if 1 < pair[0] <= MOST)
    return max(found, key=lambda pair: pair[0], default=(1, ""))


def visible_gpus(matcher: Matcher, root: Path) -> tuple[str, str]:
    """`0,1` (`-1`: none) with the place; ("", "") where all are seen, or several numbers are said."""
    found = dict(sorted((*_seen(root), *_made_visible(matcher)), key=lambda pair: pair[1], reverse=True))
    return next(iter(found.items())) if len(found) == 1 else ("", "")


def _seen(root: Path) -> Iterator[tuple[str, str]]:
    yield from ((match[1], place) for line, place in _lines(root) if (match := SEES.search(line)))


def _made_visible(matcher: Matcher) -> Iterator[tuple[str, str]]:
    """`os.environ["CUDA_VISIBLE_DEVICES"] = "1"` and `os.environ.setdefault(...)`."""
    for file, scopes in matcher.program.files.items():
        for stmt in flow.flatten(scopes.facts.body) if not matcher.program.is_test(file) else ():
            if (value := _sets_visible(stmt)) is not None:
                said = matcher.evaluator.constant(value, matcher.program.frames[file])
                if isinstance(said, (str, int)):
                    yield str(said) or "-1", Span(file, *stmt.at).place


def _sets_visible(stmt: ir.Stmt) -> ir.Expr | None:
    match stmt:
        case ir.Assign(_, (ir.Subscript(_, _, ir.Constant(_, name)),), value) if name == VISIBLE:
            return value
        case ir.Evaluate(_, ir.Call(_, ir.Attribute(_, _, "setdefault" | "putenv"), (ir.Constant(_, name), value))) if name == VISIBLE:
            return value
    return None


def _started(root: Path) -> Iterator[tuple[int, str]]:
    """`gunicorn -w 4 app:app` in what starts the application."""
    yield from ((int(match[1]), place) for line, place in _lines(root) if (match := STARTS.search(line)))


def _lines(root: Path) -> Iterator[tuple[str, str]]:
    """The lines of what starts the application, with their places."""
    for pattern in FILES:
        for path in sorted(root.glob(pattern)):
            lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
            yield from ((line, f"{path.name}:{number}") for number, line in enumerate(lines, 1))


def _set(matcher: Matcher) -> Iterator[tuple[int, str]]:
    """`workers = 4` of Gunicorn's own file, and the concurrency that a queue is told."""
    for file, scopes in matcher.program.files.items():
        names = ("workers",) if file.rpartition("/")[2] in SETTINGS else ()
        for stmt in scopes.facts.body:
            if isinstance(stmt, ir.Assign) and any(isinstance(t, ir.Name) and t.id in names for t in stmt.targets):
                value = matcher.evaluator.constant(stmt.value, matcher.program.frames[file])
                if isinstance(value, int):
                    yield value, Span(file, *stmt.at).place
    kinds = {o.split("=")[0] for r in matcher.rulebook.of_role(TaskOption) for o in r.options if o.endswith("=concurrency")}
    for file, scopes in matcher.program.files.items():
        for name in kinds & scopes.attribute_stores.keys():
            for store in scopes.attribute_stores[name]:
                value = matcher.evaluator.constant(store.value, matcher.program.generic(store.scope))
                if isinstance(value, int) and "prefetch" not in name:
                    yield value, Span(file, *store.at).place
