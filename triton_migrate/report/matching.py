"""Takes a method and a path as a client sends them, gives the pipeline whose route they are."""

from __future__ import annotations

from collections.abc import Sequence

from triton_migrate.report.document import Report
from triton_migrate.report.pipelines import Pipeline, pipelines


def asked(method: str, path: str, rows: Sequence[Pipeline]) -> Pipeline | None:
    """A route with parameters has to fit part by part; one without is preferred."""
    parts = path.partition("?")[0].split("/")
    fitting = [row for row in rows if row.kind == "endpoint" and _fits(method, parts, row)]
    return min(fitting, key=lambda row: row.entry.count("<") + row.entry.count("{"), default=None)


def _fits(method: str, parts: list[str], row: Pipeline) -> bool:
    methods, _, route = row.entry.partition(" ")
    written = route.split("/")
    alike = all(a == b or "<" in a or "{" in a for a, b in zip(written, parts, strict=False))
    greedy = bool(written) and ("<path:" in written[-1] or ":path}" in written[-1])
    return method in methods.split(",") and alike and (len(written) == len(parts) or (greedy and len(parts) > len(written)))


class Infers:
    """Whether a request reaches a model, by what a scan has found."""

    def __init__(self, document: Report) -> None:
        self.rows = pipelines(document)

    def __call__(self, method: str, path: str) -> bool:
        return asked(method, path, self.rows) is not None
