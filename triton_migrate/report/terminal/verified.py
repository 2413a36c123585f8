"""Takes a document that was verified, prints the replayed requests with every difference by its JSON path, then the load figures."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from triton_migrate.base import TritonMigrateError
from triton_migrate.report.document import Report
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
from triton_migrate.report.terminal.parts import plural, table_of, text, value
from triton_migrate.report.verification import Together, VerifiedRequest


def verify_summary(document: Report, console: Console) -> None:
    """The replayed requests with every difference by its JSON path, then the load figures."""
    verification = document["verification"]
    if verification is None:
        raise TritonMigrateError("the port was not verified", hint="run `triton-migrate verify` first")
    table = table_of("Request", "Status", "Result", "On Triton", "Original ms", "Port ms")
    for request in verification["requests"]:
        table.add_row(*_request(request))
    console.print(table)
    for request in verification["requests"]:
        for one in request["differences"]:
            console.print(text(f"{request['id']}: {one['path']}: {value(one['original'])} -> {value(one['port'])}", style="red"))
    for varying in varying_in_words(verification["requests"]):
        console.print(text(f"the original itself varies at {varying}", style="dim"), soft_wrap=True)
    for row in verification.get("exercised", []):
        console.print(text(f"{row['entry']}: {exercised_in_words(row)}", style="" if row["answered"] else "yellow"), soft_wrap=True)
    if crowd := verification.get("together"):
        _print_together(crowd, console)
    for check in verification.get("rows", []):
        style = "red" if check["mixed_up"] else "dim" if check["why"] else "green"
        console.print(text(f"{check['model']}: {rows_in_words(check)}", style=style), soft_wrap=True)
        for row_changed in check["mixed_up"]:
            console.print(text(f"  {row_in_words(row_changed)}", style="red"), soft_wrap=True)
    alike = verification["equal"] == verification["total"]
    console.print(f"{verification['equal']} of {verification['total']} replies equal", style="bold green" if alike else "bold red")
    _print_load(document, console)
    for model in verification["models"]:
        batch = f", {model['inferences'] / model['executions']:.1f} rows per call" if model["executions"] else ""
        console.print(text(f"Triton: {model['name']}: {model['requests']} requests in {model['executions']} calls{batch}"))
    for stand_in in verification["stand_ins"]:
        console.print(text(f"Stand-in: {stand_in}", style="yellow"))


def _print_together(crowd: Together, console: Console) -> None:
    for one in crowd["mixed_up"]:
        said = f"{one['id']}, when others are under way: {one['path']}: {value(one['original'])} -> {value(one['port'])}"
        console.print(text(said, style="red"))
    alike = crowd["equal"] == crowd["sent"]
    said = f"{crowd['equal']} of {crowd['sent']} replies equal when {crowd['clients']} clients ask at once: {together_in_words(crowd)}"
    console.print(text(said, style="green" if alike and crowd["shown"] else "yellow" if alike else "bold red"), soft_wrap=True)


def _print_load(document: Report, console: Console) -> None:
    load = document["verification"]["load"] if document["verification"] else None
    if load is None:
        console.print("Not measured under load.")
        return
    table = table_of("", "Original", "Port", "Ratio")
    original, port, ratio = load["original"], load["port"], load["ratio"]
    table.add_row("requests per second", f"{original['rps']:.1f}", f"{port['rps']:.1f}", f"{ratio['rps']:.2f}")
    table.add_row("median, ms", f"{original['p50_ms']:.1f}", f"{port['p50_ms']:.1f}", f"{ratio['p50_ms']:.2f}")
    if "p95_ms" in original and "p95_ms" in port:
        table.add_row("95th percentile, ms", f"{original['p95_ms']:.1f}", f"{port['p95_ms']:.1f}", "")
    table.add_row("99th percentile, ms", f"{original['p99_ms']:.1f}", f"{port['p99_ms']:.1f}", f"{ratio['p99_ms']:.2f}")
    table.add_row("errors", str(original["errors"]), str(port["errors"]), "")
    console.print(f"{plural(load['connections'], 'connection')}, {plural(len(load['rounds']), 'round')} of {load['seconds']:g} s each")
    console.print(table)
    for first, other in zip(bars(load)[::2], bars(load)[1::2], strict=True):
        if first.figures is not original:
            figures = f"{first.figures['rps']:.1f} -> {other.figures['rps']:.1f} requests per second, median {first.figures['p50_ms']:.1f}"
            console.print(f"{first.at}: {figures} -> {other.figures['p50_ms']:.1f} ms", soft_wrap=True)
    console.print(load_in_words(load), style="bold green" if gained(load) else "bold yellow", soft_wrap=True)
    if said := server_in_words(load):
        console.print(said, soft_wrap=True)


def _request(request: VerifiedRequest) -> tuple[Text | str, ...]:
    statuses = [str(status) if status else "none" for status in (request["status_original"], request["status_port"])]
    on_triton = {True: "yes", False: "no", None: ""}[request["on_triton"]]
    times = ("" if ms is None else f"{ms:.1f}" for ms in (request["ms_original"], request["ms_port"]))
    return (
        text(f"{request['id']}  {request['method']} {request['path']}"),
        statuses[0] if statuses[0] == statuses[1] else " -> ".join(statuses),
        Text("equal", "green") if request["equal"] else Text("differs", "bold red"),
        Text(on_triton, "red" if request["infer"] and request["on_triton"] is False else ""),
        *times,
    )
