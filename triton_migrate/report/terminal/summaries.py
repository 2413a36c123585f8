"""Takes a document, prints what a command has to say at its end: of a scan, a portfolio, a port, a check, findings since a baseline."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triton_migrate.report.document import PortStatus, Report
from triton_migrate.report.pipelines import MEANING, Pipeline, headline, pipelines, quiet, totals
from triton_migrate.report.terminal.parts import plural, table_of, text
from triton_migrate.report.visible import visible

if TYPE_CHECKING:
    from triton_migrate.check.records import Problem
    from triton_migrate.report.baseline import Compared
    from triton_migrate.report.page.portfolio import Member

_STYLE: Final[dict[PortStatus, str]] = {"portable": "green", "ported": "green", "review": "yellow", "blocked": "red"}
_MANY: Final = 10  # rows of a list that may be long before the rest is only counted


def scan_summary(document: Report, console: Console, *, report: Path | None = None) -> None:
    """One row per pipeline, then the rest in short. `report`: where the page was written."""
    rows = pipelines(document)
    console.print(text(headline(document, rows)), style="bold")
    if rows:
        console.print(_entries(rows))
    _print_application(document, console)
    if others := quiet(document):
        probes = sum(endpoint["probe"] for endpoint in others)
        console.print(f"{plural(len(others), 'other endpoint')}" + (f", {probes} of them a probe" if probes else ""))
    if left := document["unregistered"]:
        console.print(f"{plural(len(left), 'handler')} defined but not registered, all in the report")
    if document["models"]:
        console.print(_models(document))
    if document["elsewhere"]:
        console.print(_elsewhere(document))
    if document["unresolved"]:
        console.print(_unresolved(document))
    _print_observed(document, console)
    _print_suppressions(document, console)
    _print_files(document, console)
    if report is not None:
        console.print(text("Report: ", str(report)), soft_wrap=True)


def portfolio_summary(members: Sequence[Member], console: Console, *, index: Path) -> None:
    """One row per application, most pipelines first."""
    table = table_of("Application", "Category", "Pipelines", "Portable", "Effort")
    for member in sorted(members, key=lambda member: (-len(member.rows), member.name)):
        if member.report is None:
            table.add_row(text(member.name), Text("failed", "red"), "", "", text(member.failed))
            continue
        sums = totals(member.rows)
        can = len(member.rows) - dict(sums.by_status)["blocked"] - sums.unjudged
        table.add_row(text(member.name), member.report["app_category"], str(len(member.rows)), str(can), str(sums.points))
    console.print(table)
    rows = sum(len(member.rows) for member in members)
    console.print(f"{plural(len(members), 'application')}, {plural(rows, 'pipeline')}", style="bold")
    console.print(text("Report: ", str(index)), soft_wrap=True)


def baseline_summary(since: Compared, console: Console, *, report: Path) -> None:
    """What an earlier report lacks, one line each, as compilers write them."""
    for finding in since.new:
        place = f"{finding.file}:{finding.line}: " if finding.line else ""
        style = {"note": "cyan", "warning": "yellow", "error": "red"}[finding.level]
        rule = Text(visible(finding.rule), style)
        console.print(Text.assemble(visible(place), rule, visible(f": {finding.message}")), soft_wrap=True)
    console.print(f"{len(since.new)} new since the baseline, {since.stayed} as before, {since.gone} gone", style="bold")
    console.print(text("Report: ", str(report)), soft_wrap=True)


def check_summary(problems: tuple[Problem, ...], console: Console) -> None:
    """One line per problem, as compilers write them, and the next step under it; notes only beside what they may explain."""
    notes = [problem for problem in problems if problem.severity == "note"]
    told = [problem for problem in problems if problem.severity != "note"]
    for problem in [*told, *notes] if told else ():
        style = {"error": "red", "warning": "yellow"}.get(problem.severity, "dim")
        place, message = visible(f"{problem.file}:{problem.line}: "), visible(f": {problem.message} [{problem.rule}]")
        console.print(Text.assemble(place, (problem.severity, style), message), soft_wrap=True)
        console.print(text(f"    {problem.fix}"), soft_wrap=True)
    errors = sum(problem.severity == "error" for problem in told)
    console.print(f"{plural(errors, 'error')}, {plural(len(told) - errors, 'warning')}")
    if absent := sorted(
        {problem.file.removesuffix("/config.pbtxt") for problem in notes if problem.rule in ("no-version", "no-model-file")}
    ):
        console.print(text(f"Not here yet, and needed when the server starts: files of {', '.join(absent)}."), soft_wrap=True)


def _others(document: Report) -> str:
    """What the application has where nothing of what was asked for is there: `--category loose` of an individual one."""
    kinds = Counter(e["category"] for e in document["endpoints"] if e["category"] and (port := e["port"]) is not None and not port["proof"])
    if document["not_ported"] or not kinds:
        return ""
    return f" Not asked for: {', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}."


def apply_summary(document: Report, console: Console) -> None:
    """The files that change, the models that come to be, and what stays as it is."""
    edits = [change for change in document["changes"] if change["kind"] == "edit"]
    new = [change["file"] for change in document["changes"] if change["kind"] == "new"]
    if not document["changes"]:
        console.print(text(f"No change is planned.{_others(document)}"))
    if edits:
        table = table_of("Edit", "Safety", "Proof", "Why")
        for edit in edits:
            safety = Text(edit["safety"], style="yellow" if edit["safety"] == "review" else "")
            table.add_row(text(edit["file"]), safety, edit["proof"] or "", text(edit["reason"]))
        console.print(table)
    if new:
        folder = posixpath.commonpath([posixpath.dirname(file) for file in new])
        console.print(text(f"{plural(len(new), 'new file')} under {folder or '.'}/"))
    for served in document["served_models"]:
        crossing = ", ".join(f"{tensor['name']} {tensor['dtype']}" for tensor in served["inputs"])
        result = ", ".join(f"{tensor['name']} {tensor['dtype']}" for tensor in served["outputs"])
        batching = f"up to {served['max_batch_size']} rows in one call" if served["stacked"] else "one by one"
        console.print(text(f"Model {served['name']} ({served['backend']}, {batching}): {crossing} -> {result}"))
        for network in served["networks"]:
            goes = f"{network['place']} goes to {network['name']} ({network['backend']})"
            console.print(text(f"  its {goes}, which {network['script']} writes"))
        for reason in served["not_exported"]:
            console.print(text(f"  stays in Python: {reason}"))
    for left in document["not_ported"]:
        console.print(text(f"Not ported: {left['endpoint']}: {left['reason']}", style="yellow"))
        console.print(text(f"  {left['file']}:{left['line']}: {left['fix']}"))


def _entries(rows: tuple[Pipeline, ...]) -> Table:
    table = table_of("Entry", "Models", "Category", "Rule", "Sure", "Port")
    for row in rows:
        found = row.found
        table.add_row(
            text(row.entry),
            text(", ".join(model["id"] for model in row.models)),
            found["category"] or "unknown",
            found["rule"] or "",
            "" if found["confidence"] is None else f"{found['confidence']:.0%}",
            Text(row.status or "", style=_STYLE[row.status] if row.status else ""),
        )
    return table


def _models(document: Report) -> Table:
    table = table_of("Model", "Framework", "Loaded by", "Artifact", "Exportable")
    for model in document["models"]:
        place = f"{model['loader']} {model['file']}:{model['line']}"
        table.add_row(text(model["id"]), text(model["framework"]), text(place), text(model["artifact"] or ""), model["exportable"])
    return table


def _elsewhere(document: Report) -> Table:
    table = table_of("Asks elsewhere", "Service", "Address", "Entries")
    for asked in document["elsewhere"]:
        place, entries = f"{asked['call']} {asked['file']}:{asked['line']}", ", ".join(asked["entries"])
        table.add_row(text(place), text(asked["service"] or ""), text(asked["address"] or ""), text(entries))
    return table


def _unresolved(document: Report) -> Table:
    table = table_of("Not resolved", "Why", "Entries")
    for lost in document["unresolved"][:_MANY]:
        table.add_row(text(f"{lost['call']} {lost['file']}:{lost['line']}"), text(lost["reason"]), text(", ".join(lost["entries"])))
    if (more := len(document["unresolved"]) - _MANY) > 0:
        table.add_row(f"and {more} more, all in the report", "", "")
    return table


def _print_application(document: Report, console: Console) -> None:
    category = document["app_category"]
    sure = "" if document["app_confidence"] is None else f", {document['app_confidence']:.0%} sure"
    console.print(Text.assemble("Application: ", (category, "bold"), f"{sure} ({MEANING[category]})"))
    for reason in document["app_reasons"]:
        console.print(text(f"  {reason}"))


def _print_files(document: Report, console: Console) -> None:
    files = document["files"]
    console.print(f"{files['analysed']} of {plural(files['scanned'], 'file')} analysed")
    for failed in files["failed"]:
        console.print(text(f"  failed: {failed['file']}:{failed['line']}: {failed['error']}", style="red"), soft_wrap=True)
    for skipped in files["skipped"][:_MANY]:
        console.print(text(f"  skipped: {skipped['file']}: {skipped['reason']}"), soft_wrap=True)
    if (more := len(files["skipped"]) - _MANY) > 0:
        console.print(f"  and {more} more, all named in the report")


def _print_observed(document: Report, console: Console) -> None:
    if not (seen := document.get("observed")):
        return
    console.print(f"values of a recorded run at {plural(seen['places'], 'place')} fill in types that the code does not say")
    for file in seen["stale"]:
        said = f"  {file} has changed since the recording, so nothing that was seen there counts: record again"
        console.print(text(said, style="yellow"), soft_wrap=True)
    for one in seen["contradicted"]:
        console.print(text(f"  {one['file']}:{one['line']}: {one['message']}", style="yellow"), soft_wrap=True)


def _print_suppressions(document: Report, console: Console) -> None:
    comments = document["suppressions"]
    if used := sum(comment["used"] for comment in comments):
        console.print(f"{plural(used, 'finding')} suppressed by comments")
    for comment in comments:
        if not comment["used"]:
            said = f"  {comment['file']}:{comment['line']}: ignore[{comment['rule']}] suppresses nothing"
            console.print(text(said, style="yellow"), soft_wrap=True)
