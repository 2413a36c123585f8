"""The report in the terminal: takes a document and a Rich console, prints tables.

Text from the scanned project is never Rich markup and never holds a control code: all of it goes through `_text`.
"""

from __future__ import annotations

import difflib
import json
import posixpath
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triton_migrate.base import TritonMigrateError
from triton_migrate.report.document import Evidence, Findings, PortStatus, Report, Together, VerifiedRequest
from triton_migrate.report.pipelines import EFFORT, MEANING, Pipeline, apply_command, headline, pipelines, quiet, totals
from triton_migrate.report.proof import (
    bars,
    exercised_in_words,
    gained,
    load_in_words,
    row_in_words,
    rows_in_words,
    server_in_words,
    together_in_words,
    varying_in_words,
)
from triton_migrate.report.visible import visible

if TYPE_CHECKING:
    from rich.syntax import Syntax

    from triton_migrate.check.records import Problem
    from triton_migrate.report.baseline import Compared
    from triton_migrate.report.portfolio import Member

_STYLE: Final[dict[PortStatus, str]] = {"portable": "green", "ported": "green", "review": "yellow", "blocked": "red"}
_FEW: Final = 3
_SOME: Final = 12
_MANY: Final = 10  # rows of a list that may be long before the rest is only counted


def scan_summary(document: Report, console: Console, *, report: Path | None = None) -> None:
    """One row per pipeline, then the rest in short. `report`: where the page was written."""
    rows = pipelines(document)
    console.print(_text(headline(document, rows)), style="bold")
    if rows:
        console.print(_entries(rows))
    _print_application(document, console)
    if others := quiet(document):
        probes = sum(endpoint["probe"] for endpoint in others)
        console.print(f"{_plural(len(others), 'other endpoint')}" + (f", {probes} of them a probe" if probes else ""))
    if left := document["unregistered"]:
        console.print(f"{_plural(len(left), 'handler')} defined but not registered, all in the report")
    if document["models"]:
        console.print(_models(document))
    _print_observed(document, console)
    _print_suppressions(document, console)
    _print_files(document, console)
    if report is not None:
        console.print(_text("Report: ", str(report)), soft_wrap=True)


def portfolio_summary(members: Sequence[Member], console: Console, *, index: Path) -> None:
    """One row per application, most pipelines first."""
    table = _table("Application", "Category", "Pipelines", "Portable", "Effort")
    for member in sorted(members, key=lambda member: (-len(member.rows), member.name)):
        if member.report is None:
            table.add_row(_text(member.name), Text("failed", "red"), "", "", _text(member.failed))
            continue
        sums = totals(member.rows)
        can = len(member.rows) - dict(sums.by_status)["blocked"] - sums.unjudged
        table.add_row(_text(member.name), member.report["app_category"], str(len(member.rows)), str(can), str(sums.points))
    console.print(table)
    rows = sum(len(member.rows) for member in members)
    console.print(f"{_plural(len(members), 'application')}, {_plural(rows, 'pipeline')}", style="bold")
    console.print(_text("Report: ", str(index)), soft_wrap=True)


def baseline_summary(since: Compared, console: Console, *, report: Path) -> None:
    """What an earlier report lacks, one line each, as compilers write them."""
    for finding in since.new:
        place = f"{finding.file}:{finding.line}: " if finding.line else ""
        style = {"note": "cyan", "warning": "yellow", "error": "red"}[finding.level]
        rule = Text(visible(finding.rule), style)
        console.print(Text.assemble(visible(place), rule, visible(f": {finding.message}")), soft_wrap=True)
    console.print(f"{len(since.new)} new since the baseline, {since.stayed} as before, {since.gone} gone", style="bold")
    console.print(_text("Report: ", str(report)), soft_wrap=True)


def check_summary(problems: tuple[Problem, ...], console: Console) -> None:
    """One line per problem, as compilers write them, and the next step under it; notes only beside what they may explain."""
    notes = [problem for problem in problems if problem.severity == "note"]
    told = [problem for problem in problems if problem.severity != "note"]
    for problem in [*told, *notes] if told else ():
        style = {"error": "red", "warning": "yellow"}.get(problem.severity, "dim")
        place, message = visible(f"{problem.file}:{problem.line}: "), visible(f": {problem.message} [{problem.rule}]")
        console.print(Text.assemble(place, (problem.severity, style), message), soft_wrap=True)
        console.print(_text(f"    {problem.fix}"), soft_wrap=True)
    errors = sum(problem.severity == "error" for problem in told)
    console.print(f"{_plural(errors, 'error')}, {_plural(len(told) - errors, 'warning')}")
    if absent := sorted(
        {problem.file.removesuffix("/config.pbtxt") for problem in notes if problem.rule in ("no-version", "no-model-file")}
    ):
        console.print(_text(f"Not here yet, and needed when the server starts: files of {', '.join(absent)}."), soft_wrap=True)


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
        console.print(_text(f"No change is planned.{_others(document)}"))
    if edits:
        table = _table("Edit", "Safety", "Proof", "Why")
        for edit in edits:
            safety = Text(edit["safety"], style="yellow" if edit["safety"] == "review" else "")
            table.add_row(_text(edit["file"]), safety, edit["proof"] or "", _text(edit["reason"]))
        console.print(table)
    if new:
        folder = posixpath.commonpath([posixpath.dirname(file) for file in new])
        console.print(_text(f"{_plural(len(new), 'new file')} under {folder or '.'}/"))
    for served in document["served_models"]:
        crossing = ", ".join(f"{tensor['name']} {tensor['dtype']}" for tensor in served["inputs"])
        result = ", ".join(f"{tensor['name']} {tensor['dtype']}" for tensor in served["outputs"])
        batching = f"up to {served['max_batch_size']} rows in one call" if served["stacked"] else "one by one"
        console.print(_text(f"Model {served['name']} ({served['backend']}, {batching}): {crossing} -> {result}"))
        for network in served["networks"]:
            goes = f"{network['place']} goes to {network['name']} ({network['backend']})"
            console.print(_text(f"  its {goes}, which {network['script']} writes"))
        for reason in served["not_exported"]:
            console.print(_text(f"  stays in Python: {reason}"))
    for left in document["not_ported"]:
        console.print(_text(f"Not ported: {left['endpoint']}: {left['reason']}", style="yellow"))
        console.print(_text(f"  {left['file']}:{left['line']}: {left['fix']}"))


def verify_summary(document: Report, console: Console) -> None:
    """The replayed requests with every difference by its JSON path, then the load figures."""
    verification = document["verification"]
    if verification is None:
        raise TritonMigrateError("the port was not verified", hint="run `triton-migrate verify` first")
    table = _table("Request", "Status", "Result", "On Triton", "Original ms", "Port ms")
    for request in verification["requests"]:
        table.add_row(*_request(request))
    console.print(table)
    for request in verification["requests"]:
        for one in request["differences"]:
            console.print(_text(f"{request['id']}: {one['path']}: {_value(one['original'])} -> {_value(one['port'])}", style="red"))
    for varying in varying_in_words(verification["requests"]):
        console.print(_text(f"the original itself varies at {varying}", style="dim"), soft_wrap=True)
    for row in verification.get("exercised", []):
        console.print(_text(f"{row['entry']}: {exercised_in_words(row)}", style="" if row["answered"] else "yellow"), soft_wrap=True)
    if crowd := verification.get("together"):
        _print_together(crowd, console)
    for check in verification.get("rows", []):
        style = "red" if check["mixed_up"] else "dim" if check["why"] else "green"
        console.print(_text(f"{check['model']}: {rows_in_words(check)}", style=style), soft_wrap=True)
        for row_changed in check["mixed_up"]:
            console.print(_text(f"  {row_in_words(row_changed)}", style="red"), soft_wrap=True)
    alike = verification["equal"] == verification["total"]
    console.print(f"{verification['equal']} of {verification['total']} replies equal", style="bold green" if alike else "bold red")
    _print_load(document, console)
    for model in verification["models"]:
        batch = f", {model['inferences'] / model['executions']:.1f} rows per call" if model["executions"] else ""
        console.print(_text(f"Triton: {model['name']}: {model['requests']} requests in {model['executions']} calls{batch}"))
    for stand_in in verification["stand_ins"]:
        console.print(_text(f"Stand-in: {stand_in}", style="yellow"))


def _print_together(crowd: Together, console: Console) -> None:
    for one in crowd["mixed_up"]:
        said = f"{one['id']}, when others are under way: {one['path']}: {_value(one['original'])} -> {_value(one['port'])}"
        console.print(_text(said, style="red"))
    alike = crowd["equal"] == crowd["sent"]
    said = f"{crowd['equal']} of {crowd['sent']} replies equal when {crowd['clients']} clients ask at once: {together_in_words(crowd)}"
    console.print(_text(said, style="green" if alike and crowd["shown"] else "yellow" if alike else "bold red"), soft_wrap=True)


def explain(endpoint: str, document: Report, console: Console) -> None:
    """One pipeline: stages, evidence, verdict, plan. `endpoint` is its id as the tables print it; raises when there is none."""
    rows = [r for r in pipelines(document) if endpoint in (r.entry, visible(r.entry)) or (r.kind != "endpoint" and endpoint == r.name)]
    if not rows:
        raise _unknown(endpoint, document)
    for row in rows:
        console.print(_text(row.entry, style="bold") + _text(f"  {row.handler} in {row.file}:{row.line}"))
        _print_verdict(row, console)
        _print_path(row, console)
        _print_evidence(row, console)
        _print_models(row, console)
        _print_features(row, console)
        _print_plan(row, document, console)


def _print_verdict(row: Pipeline, console: Console) -> None:
    found = row.found
    table = _pairs()
    sure = "" if found["confidence"] is None else f", {found['confidence']:.0%} sure"
    table.add_row("Verdict", _text(f"{found['category'] or 'unknown'} by {found['rule'] or 'no rule'}{sure}", style="bold"))
    for doubt in found.get("doubts", [])[:_FEW]:
        table.add_row("", _text(f"not surer: {doubt}", style="dim"))
    if found["runner_up"]:
        table.add_row("Runner-up", found["runner_up"])
    if looser := found["would_be_looser_if"]:
        table.add_row("Looser if", _text(looser))
    if found["target"]:
        table.add_row("Target", f"{found['target']} ({MEANING[found['category'] or 'none']})")
    if effort := found["effort"]:
        table.add_row("Effort", _text(f"{_effort(found)}: {effort['why']}"))
    if found["flags"]:
        table.add_row("Flags", _text(", ".join(found["flags"])))
    console.print(table)


def _print_path(row: Pipeline, console: Console) -> None:
    """Inputs, then the stages in the order of the data."""
    _heading("Data", console)
    given = ", ".join(f"{i['name']} ({i['source']})" for i in row.found["inputs"])
    console.print(_text(f"  in      {given or 'nothing from the client'}"))
    stages = row.found["stages"]
    for stage in stages[:_SOME]:
        side = {"triton": "Triton", "app": "app", None: ""}[stage.get("side")]
        console.print(_text(f"  {stage['kind']:8}{side:8}{stage['name']}  {stage['file']}:{stage['line']}"))
    if more := len(stages[_SOME:]):
        console.print(f"  and {more} more, all in the report")


def _print_evidence(row: Pipeline, console: Console) -> None:
    """What decided, with its code; then each flag with its place."""
    found = row.found
    _heading("Evidence", console)
    deciding = [e for e in found["evidence"] if e["rule"] not in found["flags"]]
    for evidence in deciding[:_SOME]:
        console.print(_text(f"{evidence['rule']}: {evidence['message']} ({evidence['file']}:{evidence['line']})"))
        if evidence["snippet"].strip():
            console.print(_snippet(evidence))
    if more := len(deciding[_SOME:]):
        console.print(f"and {more} more, all in the report")
    noted = [e for e in found["evidence"] if e["rule"] in found["flags"]]
    if noted:
        table = _table("Flag", "Why", "Where")
        for evidence in noted:
            table.add_row(_text(evidence["rule"]), _text(evidence["message"]), _text(f"{evidence['file']}:{evidence['line']}"))
        console.print(table)


def _print_models(row: Pipeline, console: Console) -> None:
    if not row.models:
        return
    _heading("Models", console)
    table = _table("Model", "Framework", "Loaded by", "Exportable", "Route", "Why")
    for model in row.models:
        place = f"{model['loader']} {model['file']}:{model['line']}"
        route, why = model.get("export_route") or "", model.get("export_why") or ""
        table.add_row(_text(model["id"]), _text(model["framework"]), _text(place), model["exportable"], _text(route), _text(why))
    console.print(table)


def _print_features(row: Pipeline, console: Console) -> None:
    if not row.found["features"]:
        return
    _heading("Features", console)
    table = _table("Feature", "Status", "The app now", "Triton's setting")
    for feature in row.found["features"]:
        line = feature.get("line")
        place = f" ({feature.get('file')}:{line})" if line else ""
        style = {"on": "green", "recommended": "yellow", "not-applicable": "dim"}[feature["status"]]
        status = Text(feature["status"].replace("not-applicable", "-"), style=style)
        table.add_row(_text(feature["feature"]), status, _text(f"{feature.get('now') or ''}{place}"), _text(feature["setting"] or ""))
    console.print(table)


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(text, style="bold")


def _pairs() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _entries(rows: tuple[Pipeline, ...]) -> Table:
    table = _table("Entry", "Models", "Category", "Rule", "Sure", "Port")
    for row in rows:
        found = row.found
        table.add_row(
            _text(row.entry),
            _text(", ".join(model["id"] for model in row.models)),
            found["category"] or "unknown",
            found["rule"] or "",
            "" if found["confidence"] is None else f"{found['confidence']:.0%}",
            Text(row.status or "", style=_STYLE[row.status] if row.status else ""),
        )
    return table


def _models(document: Report) -> Table:
    table = _table("Model", "Framework", "Loaded by", "Artifact", "Exportable")
    for model in document["models"]:
        place = f"{model['loader']} {model['file']}:{model['line']}"
        table.add_row(_text(model["id"]), _text(model["framework"]), _text(place), _text(model["artifact"] or ""), model["exportable"])
    return table


def _print_application(document: Report, console: Console) -> None:
    category = document["app_category"]
    sure = "" if document["app_confidence"] is None else f", {document['app_confidence']:.0%} sure"
    console.print(Text.assemble("Application: ", (category, "bold"), f"{sure} ({MEANING[category]})"))
    for reason in document["app_reasons"]:
        console.print(_text(f"  {reason}"))


def _print_files(document: Report, console: Console) -> None:
    files = document["files"]
    console.print(f"{files['analysed']} of {_plural(files['scanned'], 'file')} analysed")
    for failed in files["failed"]:
        console.print(_text(f"  failed: {failed['file']}:{failed['line']}: {failed['error']}", style="red"), soft_wrap=True)
    for skipped in files["skipped"][:_MANY]:
        console.print(_text(f"  skipped: {skipped['file']}: {skipped['reason']}"), soft_wrap=True)
    if (more := len(files["skipped"]) - _MANY) > 0:
        console.print(f"  and {more} more, all named in the report")


def _print_observed(document: Report, console: Console) -> None:
    if not (seen := document.get("observed")):
        return
    console.print(f"values of a recorded run at {_plural(seen['places'], 'place')} fill in types that the code does not say")
    for file in seen["stale"]:
        said = f"  {file} has changed since the recording, so nothing that was seen there counts: record again"
        console.print(_text(said, style="yellow"), soft_wrap=True)
    for one in seen["contradicted"]:
        console.print(_text(f"  {one['file']}:{one['line']}: {one['message']}", style="yellow"), soft_wrap=True)


def _print_suppressions(document: Report, console: Console) -> None:
    comments = document["suppressions"]
    if used := sum(comment["used"] for comment in comments):
        console.print(f"{_plural(used, 'finding')} suppressed by comments")
    for comment in comments:
        if not comment["used"]:
            said = f"  {comment['file']}:{comment['line']}: ignore[{comment['rule']}] suppresses nothing"
            console.print(_text(said, style="yellow"), soft_wrap=True)


def _print_load(document: Report, console: Console) -> None:
    load = document["verification"]["load"] if document["verification"] else None
    if load is None:
        console.print("Not measured under load.")
        return
    table = _table("", "Original", "Port", "Ratio")
    original, port, ratio = load["original"], load["port"], load["ratio"]
    table.add_row("requests per second", f"{original['rps']:.1f}", f"{port['rps']:.1f}", f"{ratio['rps']:.2f}")
    table.add_row("median, ms", f"{original['p50_ms']:.1f}", f"{port['p50_ms']:.1f}", f"{ratio['p50_ms']:.2f}")
    if "p95_ms" in original and "p95_ms" in port:
        table.add_row("95th percentile, ms", f"{original['p95_ms']:.1f}", f"{port['p95_ms']:.1f}", "")
    table.add_row("99th percentile, ms", f"{original['p99_ms']:.1f}", f"{port['p99_ms']:.1f}", f"{ratio['p99_ms']:.2f}")
    table.add_row("errors", str(original["errors"]), str(port["errors"]), "")
    console.print(f"{_plural(load['connections'], 'connection')}, {_plural(len(load['rounds']), 'round')} of {load['seconds']:g} s each")
    console.print(table)
    for first, other in zip(bars(load)[::2], bars(load)[1::2], strict=True):
        if first.figures is not original:
            figures = f"{first.figures['rps']:.1f} -> {other.figures['rps']:.1f} requests per second, median {first.figures['p50_ms']:.1f}"
            console.print(f"{first.at}: {figures} -> {other.figures['p50_ms']:.1f} ms", soft_wrap=True)
    console.print(load_in_words(load), style="bold green" if gained(load) else "bold yellow", soft_wrap=True)
    if said := server_in_words(load):
        console.print(said, soft_wrap=True)


def _print_plan(row: Pipeline, document: Report, console: Console) -> None:
    _heading("Port", console)
    for trouble in row.troubles:
        kind, style = ("Blocked", "red") if trouble.blocks else ("Left", "yellow")
        console.print(_text(f"{kind}: {trouble.message} ({trouble.file}:{trouble.line})", style=style))
        console.print(_text(f"  Fix: {trouble.fix}"))
    if row.status in ("portable", "review"):
        console.print(_text(f"Next: {apply_command(document, row.entry)}"), soft_wrap=True)


def _request(request: VerifiedRequest) -> tuple[Text | str, ...]:
    statuses = [str(status) if status else "none" for status in (request["status_original"], request["status_port"])]
    on_triton = {True: "yes", False: "no", None: ""}[request["on_triton"]]
    times = ("" if ms is None else f"{ms:.1f}" for ms in (request["ms_original"], request["ms_port"]))
    return (
        _text(f"{request['id']}  {request['method']} {request['path']}"),
        statuses[0] if statuses[0] == statuses[1] else " -> ".join(statuses),
        Text("equal", "green") if request["equal"] else Text("differs", "bold red"),
        Text(on_triton, "red" if request["infer"] and request["on_triton"] is False else ""),
        *times,
    )


def _unknown(endpoint: str, document: Report) -> TritonMigrateError:
    known = [row.entry for row in pipelines(document)]
    if any(endpoint == other["id"] for other in quiet(document)):
        return TritonMigrateError(f"{visible(endpoint)} runs no model", hint="`triton-migrate scan` lists the entries that do")
    near = difflib.get_close_matches(endpoint, known, n=3, cutoff=0.5) or known[:3]
    hint = f"did you mean {' or '.join(visible(entry) for entry in near)}?" if near else "no entry of this application runs a model"
    return TritonMigrateError(f"no entry {visible(endpoint)}", hint=hint)


def _snippet(evidence: Evidence) -> Syntax:
    from rich.syntax import Syntax  # it brings Pygments, which only `explain` needs

    shown = visible(textwrap.dedent(evidence["snippet"].rstrip("\n")))
    return Syntax(
        shown, "python", theme="ansi_dark", background_color="default", line_numbers=True, start_line=evidence["line"], word_wrap=True
    )


def _effort(found: Findings) -> str:
    effort = found["effort"]
    return f"{effort['points']} {EFFORT[effort['points']]}" if effort else ""


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _text(*parts: str, style: str = "") -> Text:
    return Text(visible("".join(parts)), style=style)
