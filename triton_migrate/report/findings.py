"""Takes a document, gives its findings one by one, each with a rule, a place and a key that outlives moved lines.

SARIF, the baseline and suppression comments speak of findings; tables and the page speak of pipelines. Rules are the four categories,
`blocked`, `not-done`, the flags of the analysis, and `reply-differs` once a port was verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from triton_migrate.report.document import Report
from triton_migrate.report.matching import asked
from triton_migrate.report.pipelines import CATEGORIES, MEANING, Pipeline, pipelines

Level = Literal["note", "warning", "error"]
BLOCKED: Final = "blocked"
NOT_DONE: Final = "not-done"
DIFFERS: Final = "reply-differs"
UNUSED: Final = "unused-suppression"
SAID: Final[dict[str, str]] = {
    **{category: f"a pipeline of this category goes to: {MEANING[category]}" for category in CATEGORIES},
    BLOCKED: "something keeps a pipeline from being ported",
    NOT_DONE: "a part of a pipeline stays as it is",
    DIFFERS: "the port answers a recorded request differently from the original",
    UNUSED: "a suppression comment that suppresses nothing",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about one place. `entry` is the pipeline it is about; `line` 0 where no line is known."""

    rule: str
    level: Level
    message: str
    file: str
    line: int
    entry: str
    suppressed: str | None = None  # by which comment's words; "" where it gives no reason

    @property
    def key(self) -> str:
        """The same for the same finding in another version of the tree, wherever its line has moved."""
        said = "" if self.rule in CATEGORIES else self.message  # what a category costs is no part of it
        return "\0".join((self.rule, self.file, self.entry, said))


def findings(document: Report) -> tuple[Finding, ...]:
    """All of them, suppressed ones too, pipeline by pipeline; then what verification found."""
    reasons = {(s["file"], s["line"], s["rule"]): s["reason"] for s in document["suppressions"]}

    def told(finding: Finding) -> Finding:
        place = (finding.file, finding.line, finding.rule)
        if place not in reasons:
            return finding
        return Finding(finding.rule, finding.level, finding.message, finding.file, finding.line, finding.entry, reasons[place])

    rows = pipelines(document)
    return tuple(map(told, (*(f for row in rows for f in _of(row)), *_replies(document, rows), *_unused(document))))


def _of(row: Pipeline) -> Iterator[Finding]:
    found = row.found
    category, effort = found["category"], found["effort"]
    if category is not None and category != "none":
        cost = f", effort {effort['points']}: {effort['why']}" if effort else ""
        yield Finding(category, "note", f"{row.name} is {category} ({MEANING[category]}){cost}", row.file, row.line, row.name)
    for trouble in row.troubles:
        rule = BLOCKED if row.status in ("blocked", None) else NOT_DONE
        yield Finding(rule, "warning", f"{row.name}: {trouble.message}; {trouble.fix}", trouble.file, trouble.line, row.name)
    for evidence in found["evidence"]:
        if evidence["rule"] in found["flags"]:
            yield Finding(evidence["rule"], "note", f"{row.name}: {evidence['message']}", evidence["file"], evidence["line"], row.name)


def _replies(document: Report, rows: tuple[Pipeline, ...]) -> Iterator[Finding]:
    for request in document["verification"]["requests"] if document["verification"] else ():
        if request["differences"]:
            first = request["differences"][0]
            said = f"{request['id']}: {first['path']} is {first['original']} in the original and {first['port']} in the port"
            row = asked(request["method"], request["path"], rows)
            yield Finding(DIFFERS, "error", said, row.file if row else "", row.line if row else 0, row.name if row else "")


def _unused(document: Report) -> Iterator[Finding]:
    for comment in document["suppressions"]:
        if not comment["used"]:
            said = f"nothing here is found by {comment['rule']}: remove the comment"
            yield Finding(UNUSED, "warning", said, comment["file"], comment["line"], "")
