"""Takes a document and the name of an entry, prints its pipeline: data, evidence, verdict, models, features, plan."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from triton_migrate.base import TritonMigrateError
from triton_migrate.report.document import Evidence, Findings, Report
from triton_migrate.report.pipelines import EFFORT, MEANING, Pipeline, apply_command, pipelines, quiet
from triton_migrate.report.terminal.parts import heading, pairs, table_of, text
from triton_migrate.report.visible import visible

if TYPE_CHECKING:
    from rich.syntax import Syntax

_FEW: Final = 3
_SOME: Final = 12


def explain(endpoint: str, document: Report, console: Console) -> None:
    """One pipeline: stages, evidence, verdict, plan. `endpoint` is its id as the tables print it; raises when there is none."""
    rows = [r for r in pipelines(document) if endpoint in (r.entry, visible(r.entry)) or (r.kind != "endpoint" and endpoint == r.name)]
    if not rows:
        raise _unknown(endpoint, document)
    for row in rows:
        console.print(text(row.entry, style="bold") + text(f"  {row.handler} in {row.file}:{row.line}"))
        _print_verdict(row, console)
        _print_path(row, console)
        _print_evidence(row, console)
        _print_models(row, console)
        _print_features(row, console)
        _print_plan(row, document, console)


def _print_verdict(row: Pipeline, console: Console) -> None:
    found = row.found
    table = pairs()
    sure = "" if found["confidence"] is None else f", {found['confidence']:.0%} sure"
    table.add_row("Verdict", text(f"{found['category'] or 'unknown'} by {found['rule'] or 'no rule'}{sure}", style="bold"))
    for doubt in found.get("doubts", [])[:_FEW]:
        table.add_row("", text(f"not surer: {doubt}", style="dim"))
    if found["runner_up"]:
        table.add_row("Runner-up", found["runner_up"])
    if looser := found["would_be_looser_if"]:
        table.add_row("Looser if", text(looser))
    if found["target"]:
        table.add_row("Target", f"{found['target']} ({MEANING[found['category'] or 'none']})")
    if effort := found["effort"]:
        table.add_row("Effort", text(f"{_effort(found)}: {effort['why']}"))
    if found["flags"]:
        table.add_row("Flags", text(", ".join(found["flags"])))
    console.print(table)


def _print_path(row: Pipeline, console: Console) -> None:
    """Inputs, then the stages in the order of the data."""
    heading("Data", console)
    given = ", ".join(f"{i['name']} ({i['source']})" for i in row.found["inputs"])
    console.print(text(f"  in      {given or 'nothing from the client'}"))
    stages = row.found["stages"]
    for stage in stages[:_SOME]:
        side = {"triton": "Triton", "app": "app", None: ""}[stage.get("side")]
        console.print(text(f"  {stage['kind']:8}{side:8}{stage['name']}  {stage['file']}:{stage['line']}"))
    if more := len(stages[_SOME:]):
        console.print(f"  and {more} more, all in the report")


def _print_evidence(row: Pipeline, console: Console) -> None:
    """What decided, with its code; then each flag with its place."""
    found = row.found
    heading("Evidence", console)
    deciding = [e for e in found["evidence"] if e["rule"] not in found["flags"]]
    for evidence in deciding[:_SOME]:
        console.print(text(f"{evidence['rule']}: {evidence['message']} ({evidence['file']}:{evidence['line']})"))
        if evidence["snippet"].strip():
            console.print(_snippet(evidence))
    if more := len(deciding[_SOME:]):
        console.print(f"and {more} more, all in the report")
    noted = [e for e in found["evidence"] if e["rule"] in found["flags"]]
    if noted:
        table = table_of("Flag", "Why", "Where")
        for evidence in noted:
            table.add_row(text(evidence["rule"]), text(evidence["message"]), text(f"{evidence['file']}:{evidence['line']}"))
        console.print(table)


def _print_models(row: Pipeline, console: Console) -> None:
    if not row.models:
        return
    heading("Models", console)
    table = table_of("Model", "Framework", "Loaded by", "Exportable", "Route", "Why")
    for model in row.models:
        place = f"{model['loader']} {model['file']}:{model['line']}"
        route, why = model.get("export_route") or "", model.get("export_why") or ""
        table.add_row(text(model["id"]), text(model["framework"]), text(place), model["exportable"], text(route), text(why))
    console.print(table)


def _print_features(row: Pipeline, console: Console) -> None:
    if not row.found["features"]:
        return
    heading("Features", console)
    table = table_of("Feature", "Status", "The app now", "Triton's setting")
    for feature in row.found["features"]:
        line = feature.get("line")
        place = f" ({feature.get('file')}:{line})" if line else ""
        style = {"on": "green", "recommended": "yellow", "not-applicable": "dim"}[feature["status"]]
        status = Text(feature["status"].replace("not-applicable", "-"), style=style)
        table.add_row(text(feature["feature"]), status, text(f"{feature.get('now') or ''}{place}"), text(feature["setting"] or ""))
    console.print(table)


def _print_plan(row: Pipeline, document: Report, console: Console) -> None:
    heading("Port", console)
    for trouble in row.troubles:
        kind, style = ("Blocked", "red") if trouble.blocks else ("Left", "yellow")
        console.print(text(f"{kind}: {trouble.message} ({trouble.file}:{trouble.line})", style=style))
        console.print(text(f"  Fix: {trouble.fix}"))
    if row.status in ("portable", "review"):
        console.print(text(f"Next: {apply_command(document, row.entry)}"), soft_wrap=True)


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
