"""report.json: takes a document, gives its text, and back.

The text depends on the content only: what has no meaningful order is sorted, keys too, so that two scans of the same tree give the
same bytes and a report in version control changes only where the findings change.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from triton_migrate.base import TritonMigrateError
from triton_migrate.report.document import SCHEMA_VERSION, Report
from triton_migrate.report.verification import JSON

CLOSING = ("additionalProperties", "unevaluatedProperties")
SCAN_FIRST = "run `triton-migrate scan` first"
SCAN_AGAIN = "run `triton-migrate scan` again with this version"


def dumps(document: Report) -> str:
    """The text of report.json. ASCII, because names of files and routes may hold anything, lone surrogates included."""
    return json.dumps(_finite(cast("JSON", ordered(document))), indent=1, sort_keys=True, allow_nan=False) + "\n"


def write(document: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(document), encoding="ascii", newline="\n")


def read(path: Path, *, only: AbstractSet[str] | None = None, absent: Mapping[str, object] | None = None) -> Report:
    """The document in `path`. Raises TritonMigrateError when it is missing, broken, of another version or not what the schema says.

    `only`: the keys that the caller looks at, so that nothing else has to be as this version writes it; `absent`: what a missing key
    of the document stands for.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TritonMigrateError("no report here", file=str(path), hint=SCAN_FIRST) from None
    except (OSError, UnicodeDecodeError) as trouble:
        raise TritonMigrateError(f"cannot be read: {trouble}", file=str(path), hint=SCAN_AGAIN) from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as trouble:
        raise TritonMigrateError(f"not JSON: {trouble.msg}", file=str(path), line=trouble.lineno, hint=SCAN_AGAIN) from None
    except RecursionError:
        raise TritonMigrateError("not a report: nested too deeply", file=str(path), hint=SCAN_AGAIN) from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise TritonMigrateError(f"schema_version is {version!r}, not {SCHEMA_VERSION}", file=str(path), hint=SCAN_AGAIN)
    document = {**(absent or {}), **document}
    try:
        validate(document, schema() if only is None else _part(schema(), only))
    except TritonMigrateError as trouble:
        raise TritonMigrateError(trouble.message, file=str(path), hint=SCAN_AGAIN) from None
    return cast("Report", document)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document, as shipped."""
    text = files("triton_migrate.report").joinpath("report.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _part(shape: Any, only: AbstractSet[str]) -> Any:
    """The schema of a document of which only these keys matter, whatever else is there or not."""
    if isinstance(shape, list):
        return [_part(one, only) for one in shape]
    if not isinstance(shape, dict):
        return shape
    parts = {key: _part(value, only) for key, value in shape.items() if key not in ("properties", *CLOSING)}
    if "properties" in shape:
        parts["properties"] = {key: _part(value, only) for key, value in shape["properties"].items() if key in only}
    if "required" in shape:
        parts["required"] = [key for key in shape["required"] if key in only]
    return parts


def validate(document: Mapping[str, object], against: Mapping[str, Any] | None = None) -> None:
    """Raises TritonMigrateError naming the JSON path of what disagrees most with the schema."""
    from jsonschema import Draft202012Validator  # a scan only writes, and loading this takes as long as scanning a few files
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema() if against is None else against).iter_errors(document))
    if error is not None:
        raise TritonMigrateError(f"not a report: {error.json_path}: {error.message[:300]}")


def ordered(document: Report) -> Report:
    """The same document with its unordered lists sorted. Evidence, stages, inputs, requests and rounds keep their order."""
    return {
        **document,
        "frameworks": sorted(document["frameworks"]),
        "files": {
            **document["files"],
            "skipped": sorted(document["files"]["skipped"], key=lambda row: (row["file"], row["reason"])),
            "failed": sorted(document["files"]["failed"], key=lambda row: (row["file"], row["line"], row["error"])),
        },
        "endpoints": sorted(document["endpoints"], key=lambda row: (row["file"], row["line"], row["id"], row["framework"])),
        "tasks": sorted(document["tasks"], key=lambda row: (row["file"], row["line"], row["name"])),
        "consumers": sorted(document["consumers"], key=lambda row: (row["file"], row["line"], row["function"])),
        "unregistered": sorted(document["unregistered"], key=lambda row: (row["file"], row["line"], row["path"])),
        "models": sorted(document["models"], key=lambda row: (row["file"], row["line"], row["id"])),
        "elsewhere": sorted(document["elsewhere"], key=lambda row: (row["file"], row["line"], row["call"])),
        "unresolved": sorted(document["unresolved"], key=lambda row: (row["file"], row["line"], row["call"], row["reason"])),
        "caches": sorted(document["caches"], key=lambda row: (row["file"], row["line"], row["kind"])),
        "metrics": sorted(document["metrics"], key=lambda row: (row["file"], row["line"], row["kind"])),
        "served_models": sorted(document["served_models"], key=lambda row: row["name"]),
        "not_ported": sorted(document["not_ported"], key=lambda row: (row["endpoint"], row["file"], row["line"], row["reason"])),
        "changes": sorted(document["changes"], key=lambda row: row["file"]),
        "suppressions": sorted(document["suppressions"], key=lambda row: (row["file"], row["line"], row["rule"])),
    }


def _finite(value: JSON) -> JSON:
    """NaN and the infinities as text: a compared reply may hold them, JSON may not."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case list():
            return [_finite(item) for item in value]
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case _:
            return value
