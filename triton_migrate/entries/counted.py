"""Takes the application's start-up files and settings, gives how many workers serve it: so many copies of its models it has at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.rulebook.vocabulary import TaskOption

FILES = ("Procfile", "Dockerfile*", "docker-compose*.y*ml", "compose*.y*ml", "*.sh", "*.service", "supervisord.conf")
STARTS = re.compile(r"\b(?:gunicorn|uvicorn|hypercorn|celery|fastapi)\b.*?(?:--workers|--concurrency|-w|-c)[=\s\"',]+(\d+)\b")
SETTINGS = ("gunicorn.conf.py", "gunicorn_conf.py", "gunicorn.py")
MOST = 64


def worker_count(matcher: Matcher, root: Path) -> tuple[int, str]:
    """The largest number that is said, with the place; (1, "") where none is."""
    found = (pair for pair in (*_set(matcher), *_started(root)) if 1 < pair[0] <= MOST)
    return max(found, key=lambda pair: pair[0], default=(1, ""))


def _started(root: Path) -> Iterator[tuple[int, str]]:
    """`gunicorn -w 4 app:app` in what starts the application."""
    for pattern in FILES:
        for path in sorted(root.glob(pattern)):
            lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
            for number, line in enumerate(lines, 1):
                if match := STARTS.search(line):
                    yield int(match[1]), f"{path.name}:{number}"


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
