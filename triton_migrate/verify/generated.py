"""Takes what a scan knows of the entries, gives a file of requests for them: made up, and tried on the original, which says what is right.

A copy of the original is started for that alone, so that what it keeps (accounts, counters) is not there when the proof begins. Of what
was tried, requests that were answered or refused are kept; one at which the original itself fails proves nothing, and is counted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from triton_migrate.base import TritonMigrateError
from triton_migrate.verify.candidates import Candidate, Record, candidates, record, wrong
from triton_migrate.verify.client import Client, Reply, client
from triton_migrate.verify.drawn import drawn
from triton_migrate.verify.learned import Learned
from triton_migrate.verify.records import Exercised
from triton_migrate.verify.requests import encoded
from triton_migrate.verify.samples import Sample
from triton_migrate.verify.start import App, Application, free_ports, running_app, start_command
from triton_migrate.verify.told import DOCUMENTS, Form, Route, declared, document_of, forms, with_forms

MOST: Final = 120  # tries for one entry
PLAIN, DRAWN = 3, 6  # requests of the right form, typed and drawn
REFUSED: Final = 3  # kept of those that the original refuses
QUIET: Final = 60  # entries without a model that are asked for
PATIENCE: Final = 60.0  # seconds for the search of one entry
TIMEOUT: Final = 60.0  # seconds: a first request may load a model
TOLERANCE: Final = 1e-4  # applications round, and what is rounded jumps by its last digit
READ: Final = 2_000  # bytes of a refusal
TYPED: Final = frozenset(("json", "form"))
SAFE: Final = frozenset(("GET",))


@dataclass(slots=True)
class _Trial:
    """The original under trial, and all that was kept so far."""

    app: App
    session: Client
    folder: Path
    kept: list[Record] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    learned: Learned = field(default_factory=Learned)

    def ask(self, made: Record) -> Reply | None:
        """The original's reply; None where the same was asked before."""
        written = self._written(made)
        text = json.dumps(written, sort_keys=True)
        if text in self.seen:
            return None
        self.seen.add(text)
        reply = self.session.send(encoded({"id": "trial", **written}, self.folder / "trial", 1))
        if reply.status is None:
            self.app.check()
        return reply

    def keep(self, made: Record, name: str, infers: bool) -> None:
        line: Record = {"id": f"{len(self.kept) + 1:03d}-{name}", **self._written(made), "guessed": True, "tol": TOLERANCE}
        self.kept.append({**line, "infer": True} if infers else line)

    def _written(self, made: Record) -> Record:
        """The line with its files in the folder beside it."""
        uploads = {name: self._saved(sample) for name, sample in made.get("files", {}).items()}
        return {**made, "files": uploads} if uploads else made

    def _saved(self, sample: Sample) -> dict[str, str]:
        place = self.folder / "samples" / sample.name
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(sample.content)
        return {"path": f"samples/{sample.name}", "type": sample.media_type}


def generate(
    root: Path, application: Application, routes: tuple[Route, ...], file: Path, *, python: Path, say: Callable[[str], None]
) -> tuple[Exercised, ...]:
    """Write `file` (requests.jsonl, with a folder `samples` beside it); gives a row for each entry that runs a model.

    Raises TritonMigrateError when the original answers no request that could be made up.
    """
    (number,) = free_ports(1)
    say("no recorded requests: making some up, and trying them on a copy of the original")
    file.parent.mkdir(parents=True, exist_ok=True)
    command = start_command(application, python, number)
    with running_app("the original", root, command, number) as app, client(app.url, timeout=TIMEOUT) as session:
        trial = _Trial(app, session, file.parent)
        rows = tuple(_exercised(trial, routes))
    for row in rows:
        say(f"{row.entry}: {row.said}")
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in trial.kept), encoding="utf-8")
    if not any(row.answered for row in rows):
        raise TritonMigrateError(
            f"the original answered none of the requests that were made up: {rows[0].said if rows else 'no entry runs a model'}",
            hint="record some with `triton-migrate record`, or give a file with --requests",
        )
    say(f"{len(trial.kept)} requests in {file}")
    return rows


def _exercised(trial: _Trial, routes: tuple[Route, ...]) -> Iterator[Exercised]:
    """Entries without a model are read only, unless one that runs a model needs what they leave behind."""
    quiet = [route for route in routes if not route.infers][:QUIET]
    pages = tuple(_read(trial, [route for route in quiet if route.method in SAFE]))
    knowing = tuple(_known(trial, routes, pages))
    siblings = dict.fromkeys(f.name for route in knowing if route.infers for f in route.fields if f.source in ("json", "form"))
    trial.learned = Learned(siblings=tuple(siblings))
    rows = {route.id: _try(trial, route) for route in knowing if route.infers}
    if missed := [route for route in knowing if route.infers and not rows[route.id].answered]:
        known = {route.id: route for route in knowing}
        for route in quiet:
            if route.method not in SAFE | {"DELETE"}:
                _try(trial, known[route.id])
        trial.seen.clear()
        rows |= {route.id: _try(trial, route) for route in missed}
    yield from rows.values()


def _read(trial: _Trial, quiet: Iterable[Route]) -> Iterator[Form]:
    """Ask for every page once; gives the forms on them."""
    for route in quiet:
        made = record(route, "", {})
        reply = trial.ask(made)
        if reply is not None and _answered(reply):
            trial.keep(made, _slug(route, "read"), infers=False)
            if "html" in reply.content_type:
                yield from forms(reply.body.decode(errors="replace"), made["path"])


def _known(trial: _Trial, routes: tuple[Route, ...], pages: tuple[Form, ...]) -> Iterator[Route]:
    documents = (trial.ask({"method": "GET", "path": path}) for path in DOCUMENTS)
    document = next((found for reply in documents if reply is not None and reply.status == 200 and (found := document_of(reply.body))), {})
    for route in routes:
        yield declared(with_forms(route, pages), document)


def _try(trial: _Trial, route: Route) -> Exercised:
    """Look for one request that the original answers; from it make more, and wrong ones."""
    search = _Search(trial, route)
    right = search.right()
    if right is not None:
        search.more(right)
        search.refused(right)
    return search.row()


class _Search:
    """What was tried for one route, and what came of it."""

    def __init__(self, trial: _Trial, route: Route) -> None:
        self.trial, self.route = trial, route
        self.tried = self.answers = self.refusals = self.failures = 0
        self.first = ""  # what the likeliest request got

    def right(self) -> Candidate | None:
        """The first that is answered; an answer that speaks of an error only where there is no better one."""
        learned, doubtful = self.trial.learned, None
        ways = candidates(self.route, learned)
        until = time.monotonic() + PATIENCE
        while self.tried < MOST and time.monotonic() < until and (way := next(ways, None)) is not None:
            reply = self._ask(made := record(self.route, way.body, way.values(0)))
            if reply is None:
                continue
            if _answered(reply) and not _complains(reply):
                self._keep(made, "plain")
                self.trial.learned = self.trial.learned.knowing({f.name: schema for f, schema in way.shapes if f.source in TYPED})
                return way
            doubtful = doubtful or (way if _answered(reply) else None)
            cause, filed = _cause(reply, self.trial.app), any(schema.get("format") == "table" for _, schema in way.shapes)
            if (more := learned.of_table(cause) if filed else learned.of(cause, (f.name for f in self.route.fields))) != learned:
                learned, ways = more, candidates(self.route, more)
        if doubtful is not None:
            self._keep(record(self.route, doubtful.body, doubtful.values(0)), "plain")
        return doubtful

    def more(self, right: Candidate) -> None:
        for number in range(1, PLAIN):
            self._judge(record(self.route, right.body, right.values(number)), f"plain-{number + 1}")
        schemas = {f: (f.name, schema) for f, schema in right.shapes if f.source not in ("path", "header", "cookie", "raw-body")}
        fixed = {f: value for f, value in right.values(0).items() if f not in schemas}
        files = frozenset(f for f in schemas if f.source == "file")
        for number, values in enumerate(drawn(schemas, DRAWN, files) if schemas else (), 1):
            self._judge(record(self.route, right.body, {**fixed, **values}), f"drawn-{number}")

    def refused(self, right: Candidate) -> None:
        for what, made in wrong(self.route, right):
            self._judge(made, what)

    def row(self) -> Exercised:
        return Exercised(self.route.id, self.tried, self.answers, self.refusals, self.failures, "" if self.answers else self.first)

    def _ask(self, made: Record) -> Reply | None:
        reply = self.trial.ask(made)
        if reply is not None:
            self.tried += 1
            self.failures += reply.status is None or reply.status >= 500
            self.first = self.first or _said(reply, self.trial.app)
        return reply

    def _judge(self, made: Record, what: str) -> None:
        reply = self._ask(made)
        if reply is None or reply.status is None or reply.status >= 500:
            return
        if reply.status >= 400:
            if self.refusals < REFUSED:
                self.refusals += 1
                self.trial.keep(made, _slug(self.route, what), infers=False)
            return
        self._keep(made, what)

    def _keep(self, made: Record, what: str) -> None:
        self.answers += 1
        self.trial.keep(made, _slug(self.route, what), self.route.infers)


def _answered(reply: Reply) -> bool:
    return reply.status is not None and 200 <= reply.status < 300


def _complains(reply: Reply) -> bool:
    """Some applications say 200 and mean an error."""
    try:
        body: Any = json.loads(reply.body) if "json" in reply.content_type else None
    except ValueError:
        return False
    return isinstance(body, dict) and bool(body.get("error"))


def _cause(reply: Reply, app: App) -> str:
    """Why it was not answered: the exception that the log names, else what the body says."""
    failed = reply.status is None or reply.status >= 500
    return app.reason() if failed else reply.body[:READ].decode(errors="replace")


def _said(reply: Reply, app: App) -> str:
    if reply.status is None:
        return reply.error or "no answer"
    why = app.reason() if reply.status >= 500 else " ".join(reply.body.decode(errors="replace").split())
    return f"{reply.status} {why[:160]}".strip()


def _slug(route: Route, what: str) -> str:
    path = re.sub(r"[^A-Za-z0-9]+", "-", route.path).strip("-") or "root"
    return f"{path}-{what}"
