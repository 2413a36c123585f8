"""What the report is about: takes a document, gives its pipelines in one shape, whether a route, a task or a loop drives them.

Also the sums of the head and the sentence above them, so that page and terminal say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast, get_args

from triton_migrate.report.document import (
    Category,
    Consumer,
    Endpoint,
    Findings,
    Model,
    NotPorted,
    Points,
    PortStatus,
    Report,
    ServedModel,
    Task,
    Verdict,
)
from triton_migrate.report.visible import shell_word

CATEGORIES: Final[tuple[Category, ...]] = ("tight", "loose", "modular", "individual")
STATUSES: Final[tuple[PortStatus, ...]] = get_args(PortStatus)
MEANING: Final[dict[Category, str]] = {
    "tight": "tied to a larger module: PyTriton inside the application",
    "loose": "tangled pipeline: Python backend, framework backends for what can be exported",
    "modular": "stages of their own: an ensemble",
    "individual": "the model alone in a repository",
    "none": "no model is reached: nothing to port",
}
# The Red Hat MTA scale.
EFFORT: Final[dict[Points, str]] = {0: "info", 1: "trivial", 3: "complex", 5: "redesign", 7: "re-architect", 13: "unknown"}
_WAYS: Final[dict[PortStatus, tuple[str, str]]] = {
    "ported": ("is ported", "are ported"),
    "portable": ("can be ported as is", "can be ported as they are"),
    "review": ("can be ported after review", "can be ported after review"),
    "blocked": ("is blocked", "are blocked"),
}
_UNSAID: Final[Findings] = {
    "inputs": [],
    "outputs": [],
    "stages": [],
    "confidence": None,
    "runner_up": None,
    "evidence": [],
    "flags": [],
    "blockers": [],
    "would_be_looser_if": None,
    "effort": None,
    "target": None,
    "port": None,
    "features": [],
}


class Found(Verdict, Findings):
    """A verdict with every finding there, empty where nothing was said."""


class Trouble(NamedTuple):
    blocks: bool
    message: str
    file: str
    line: int
    fix: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One entry that runs a model. `entry` is what `apply --endpoint` takes; `anchor` names it on the page."""

    anchor: str
    kind: Literal["endpoint", "task", "consumer"]
    entry: str
    handler: str
    file: str
    line: int
    framework: str
    queue: str | None
    response: str | None
    models: tuple[Model, ...]
    served: tuple[ServedModel, ...]
    not_ported: tuple[NotPorted, ...]
    found: Found

    @property
    def name(self) -> str:
        """What identifies it wherever its lines move."""
        return self.entry if self.kind == "endpoint" else self.handler

    @property
    def status(self) -> PortStatus | None:
        port = self.found["port"]
        return port["status"] if port else None

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What stands in the way of the port or is left to do, each once: a blocker may be the reason of a refusal too."""
        port = self.found["port"]
        rows = [Trouble(True, b["message"], b["file"], b["line"], b["fix"]) for b in self.found["blockers"]]
        left = (*(port["not_done"] if port else ()), *self.not_ported)
        rows += [Trouble(False, n["reason"], n["file"], n["line"], n["fix"]) for n in left]
        return tuple({(row.message, row.file, row.line): row for row in reversed(rows)}.values())[::-1]

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Everything the framework filter may ask for: the web framework or queue, and the models'."""
        return tuple(dict.fromkeys([self.framework, *(model["framework"] for model in self.models)]))


class _Draft(NamedTuple):
    kind: Literal["endpoint", "task", "consumer"]
    source: Endpoint | Task | Consumer
    entry: str
    handler: str
    framework: str
    queue: str | None
    response: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    by_category: tuple[tuple[Category, int], ...]
    by_status: tuple[tuple[PortStatus, int], ...]
    by_effort: tuple[tuple[Points, int], ...]
    points: int
    unjudged: int  # pipelines without a port status


def pipelines(document: Report) -> tuple[Pipeline, ...]:
    """Endpoints that run a model, then tasks, then consumers, in the order of the document."""
    models = {model["id"]: model for model in document["models"]}
    return tuple(
        Pipeline(
            anchor=f"p{number}",
            kind=draft.kind,
            entry=draft.entry,
            handler=draft.handler,
            file=draft.source["file"],
            line=draft.source["line"],
            framework=draft.framework,
            queue=draft.queue,
            response=draft.response,
            models=tuple(models[name] for name in draft.source["models"] if name in models),
            served=tuple(served for served in document["served_models"] if draft.entry in served["endpoints"]),
            not_ported=tuple(left for left in document["not_ported"] if left["endpoint"] == draft.entry),
            found=cast("Found", {**_UNSAID, **draft.source}),
        )
        for number, draft in enumerate(_drafts(document), 1)
    )


def quiet(document: Report) -> list[Endpoint]:
    """The endpoints that are not pipelines."""
    return [endpoint for endpoint in document["endpoints"] if not _drives(endpoint)]


def totals(rows: tuple[Pipeline, ...]) -> Totals:
    category = Counter(row.found["category"] for row in rows)
    status = Counter(row.status for row in rows)
    effort = Counter(row.found["effort"]["points"] for row in rows if row.found["effort"])
    return Totals(
        tuple((name, category[name]) for name in CATEGORIES),
        tuple((name, status[name]) for name in STATUSES),
        tuple((points, effort[points]) for points in EFFORT if effort[points]),
        sum(points * count for points, count in effort.items()),
        status[None],
    )


def headline(document: Report, rows: tuple[Pipeline, ...]) -> str:
    """What was found and what can be done about it, in one or two sentences."""
    entries = len(document["endpoints"]) + len(document["tasks"]) + len(document["consumers"])
    if not rows:
        return f"None of {_count(entries, 'entry', 'entries')} runs a model: there is nothing to port."
    found = f"{len(rows)} of {_count(entries, 'entry', 'entries')} {'runs' if len(rows) == 1 else 'run'} a model."
    count = dict(totals(rows).by_status)
    said = [_count(count[status], *words) for status, words in _WAYS.items() if count[status]]
    return f"{found} {_listed(said)}." if said else found


def apply_command(document: Report, entry: str | None = None) -> str:
    """What a shell must get to port everything, or one pipeline."""
    words = ["triton-migrate", "apply", shell_word(document["root"])]
    return " ".join(words if entry is None else [*words, "--endpoint", shell_word(entry)])


def _drafts(document: Report) -> Iterator[_Draft]:
    for endpoint in filter(_drives, document["endpoints"]):
        yield _Draft(
            "endpoint", endpoint, endpoint["id"], endpoint["handler"], endpoint["framework"], endpoint["queue"], endpoint["response"]
        )
    for task in document["tasks"]:
        if task["inference"]:
            yield _Draft("task", task, f"task {task['name']}", task["name"], task["queue"], task["queue"], None)
    for consumer in document["consumers"]:
        at = f"consumer {consumer['file']}:{consumer['line']}"
        yield _Draft("consumer", consumer, at, consumer["function"], "script", None, None)


def _drives(endpoint: Endpoint) -> bool:
    return endpoint["inference"] and not endpoint["probe"]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
