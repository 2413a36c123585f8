"""Takes the findings of an earlier report and a new one, gives what is new: for a CI that shall not fail for what was there before.

A baseline is kept for months, so one of another version is read, too, as long as it says what a finding's key is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from triton_migrate.report import json as report_json
from triton_migrate.report.document import Report
from triton_migrate.report.findings import Finding, findings


@dataclass(frozen=True, slots=True)
class Compared:
    """The findings that the baseline lacks, and of its own how many stayed and how many are gone. What a comment suppresses is not new."""

    new: tuple[Finding, ...]
    stayed: int
    gone: int
    suppressed: int


# What `findings` reads of a report, wherever it stands in it.
READ: Final = frozenset((
    "schema_version", "endpoints", "tasks", "consumers", "served_models", "not_ported", "verification", "suppressions", "requests",
    "id", "name", "function", "handler", "framework", "queue", "response", "method", "path", "file", "line", "inference", "probe",
    "models", "category", "evidence", "flags", "blockers", "port", "status", "not_done", "effort", "points", "why", "rule", "message",
    "reason", "fix", "used", "endpoint", "differences", "original",
))  # fmt: skip
LATER: Final[Mapping[str, object]] = {"suppressions": []}  # what it is in a report that was written before there was any


def keys_of(baseline: Path) -> frozenset[str]:
    """What identifies the findings of a report.json. Raises TritonMigrateError where it cannot be read."""
    return frozenset(finding.key for finding in findings(report_json.read(baseline, only=READ, absent=LATER)))


def compared(document: Report, known: frozenset[str] | None) -> Compared:
    """Without a baseline all findings are new."""
    before = known or frozenset[str]()
    now = findings(document)
    new = tuple(f for f in now if f.key not in before and f.suppressed is None)
    stayed = before & {f.key for f in now}
    return Compared(new, len(stayed), len(before - stayed), sum(f.suppressed is not None for f in now))
