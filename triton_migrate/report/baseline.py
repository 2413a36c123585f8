"""Takes the findings of an earlier report and a new one, gives what is new: for a CI that shall not fail for what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def keys_of(baseline: Path) -> frozenset[str]:
    """What identifies the findings of a report.json. Raises TritonMigrateError where it cannot be read."""
    return frozenset(finding.key for finding in findings(report_json.read(baseline)))


def compared(document: Report, known: frozenset[str] | None) -> Compared:
    """Without a baseline all findings are new."""
    before = known or frozenset[str]()
    now = findings(document)
    new = tuple(f for f in now if f.key not in before and f.suppressed is None)
    stayed = before & {f.key for f in now}
    return Compared(new, len(stayed), len(before - stayed), sum(f.suppressed is not None for f in now))
