"""report.sarif: takes a document, gives SARIF 2.1.0 for code-scanning pages and editors. The same document gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from triton_migrate.report.document import Change, Report
from triton_migrate.report.findings import SAID, Finding, findings
from triton_migrate.report.pipelines import Pipeline, pipelines
from triton_migrate.report.visible import visible

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "APP"


def dumps(document: Report, known: frozenset[str] | None = None) -> str:
    """The text of report.sarif. With `known`, keys of an earlier report, each result says whether it is new."""
    found = findings(document)
    rules = sorted({f.rule for f in found})
    rows = {row.name: row for row in pipelines(document)}
    run = {
        "tool": {
            "driver": {
                "name": document["tool"]["name"],
                "semanticVersion": document["tool"]["version"],
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the folder that was scanned"}}},
        "invocations": [_invocation(document)],
        "properties": {"changes": [_change(change) for change in document["changes"]]},
        "results": [_result(finding, rules.index(finding.rule), rows.get(finding.entry), known) for finding in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, sort_keys=True) + "\n"


def _change(change: Change) -> dict[str, Any]:
    """A file of the port, and how far it is proven."""
    proof = {"proof": change["proof"]} if change["proof"] else {}
    return {"file": visible(change["file"]), "kind": change["kind"], "safety": change["safety"], **proof}


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": SAID.get(rule, rule.replace("-", " "))}}


def _invocation(document: Report) -> dict[str, Any]:
    """What could not be read is part of the run, not of the results."""
    failed = [
        {"level": "error", "message": {"text": visible(f["error"])}, "locations": [_location(f["file"], f["line"])]}
        for f in document["files"]["failed"]
    ]
    skipped = [
        {"level": "note", "message": {"text": visible(s["reason"])}, "locations": [_location(s["file"], 0)]}
        for s in document["files"]["skipped"]
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": [*failed, *skipped]}


def _result(finding: Finding, index: int, row: Pipeline | None, known: frozenset[str] | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": visible(finding.message)},
        "locations": [_location(finding.file, finding.line)] if finding.file else [],
        "partialFingerprints": {"finding/v1": sha256(finding.key.encode(errors="surrogatepass")).hexdigest()},
    }
    if finding.suppressed is not None:
        reason = {"justification": visible(finding.suppressed)} if finding.suppressed else {}
        result["suppressions"] = [{"kind": "inSource", **reason}]
    if known is not None:
        result["baselineState"] = "unchanged" if finding.key in known else "new"
    if row is not None and finding.rule == row.found["category"]:
        result |= _judged(row)
    return result


def _judged(row: Pipeline) -> dict[str, Any]:
    """What decided, and how far the port is proven."""
    port = row.found["port"]
    properties = {
        "entry": visible(row.entry),
        "rule": row.found["rule"],
        "confidence": row.found["confidence"],
        "target": row.found["target"],
        "status": row.status,
        "proof": port["proof"] if port else None,
    }
    related = [
        {"id": number, "message": {"text": visible(evidence["message"])}, **_location(evidence["file"], evidence["line"])}
        for number, evidence in enumerate(row.found["evidence"], 1)
    ]
    return {"properties": {name: value for name, value in properties.items() if value is not None}, "relatedLocations": _each(related)}


def _each(related: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """SARIF asks that no two are equal."""
    return list({json.dumps({**one, "id": 0}, sort_keys=True): one for one in related}.values())


def _location(file: str, line: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(file.encode(errors="surrogateescape")), "uriBaseId": ROOT}}
    if line > 0:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical}
