"""index.html over many applications: takes their reports, gives one page of totals with a row for each, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from triton_migrate.report.document import Category, Report
from triton_migrate.report.page.html import page
from triton_migrate.report.pipelines import CATEGORIES, STATUSES, Pipeline, headline, pipelines, totals


@dataclass(frozen=True, slots=True)
class Member:
    """One application. `folder` is where its own report lies, relative to the index; `failed` why there is none."""

    name: str
    folder: str
    report: Report | None
    failed: str = ""

    @property
    def rows(self) -> tuple[Pipeline, ...]:
        return pipelines(self.report) if self.report is not None else ()

    @property
    def headline(self) -> str:
        return headline(self.report, self.rows) if self.report is not None else self.failed


def render(members: Sequence[Member]) -> str:
    """The text of index.html."""
    rows = tuple(row for member in members for row in member.rows)
    cards = {member.name: totals(member.rows) for member in members}
    order = sorted(members, key=lambda member: (-len(member.rows), member.name))
    return page("portfolio.html.j2", members=order, rows=rows, totals=totals(rows), sums=cards, categories=CATEGORIES, statuses=STATUSES)


def dumps(members: Sequence[Member]) -> str:
    """The text of portfolio.json."""
    rows = tuple(row for member in members for row in member.rows)
    document = {
        "schema_version": 1,
        "applications": [_row(member) for member in members],
        "totals": {"pipelines": len(rows), **_counts(rows)},
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _row(member: Member) -> dict[str, object]:
    category: Category | None = member.report["app_category"] if member.report is not None else None
    return {
        "name": member.name,
        "report": f"{member.folder}/report.html" if member.report is not None else None,
        "failed": member.failed or None,
        "category": category,
        "pipelines": len(member.rows),
        **_counts(member.rows),
    }


def _counts(rows: Sequence[Pipeline]) -> dict[str, object]:
    found = totals(tuple(rows))
    return {"by_category": dict(found.by_category), "by_status": dict(found.by_status), "effort": found.points}
