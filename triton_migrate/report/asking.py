"""Takes a document, gives the routes that `verify` can make up requests for: the ported entries, and what else the application answers."""

from __future__ import annotations

from triton_migrate.report.document import Endpoint, Report
from triton_migrate.verify.shapes import typed
from triton_migrate.verify.told import Field, Route

BODY = frozenset(("json", "form", "file", "raw-body", "any"))
CARRYING = ("POST", "PUT", "PATCH")
WEB = frozenset(("GET", *CARRYING, "DELETE"))


def routes(document: Report) -> tuple[Route, ...]:
    """Each entry by one of its methods; an entry that runs a model and was not ported is the same on both sides, and left out."""
    return tuple(
        Route(e["id"], method, e["path"], e["inference"], _fields(e), _widths(document, e["id"]))
        for e in document["endpoints"]
        for method in _methods(e)
        if not e["inference"] or ((port := e["port"]) is not None and port["status"] == "ported")
    )


def _methods(endpoint: Endpoint) -> tuple[str, ...]:
    there = [method for method in endpoint["methods"] if method in WEB]
    if not endpoint["inference"]:
        return tuple(there[:1])
    carrying = [method for method in CARRYING if method in there]
    takes = any(given["source"] in BODY for given in endpoint["inputs"])
    return tuple((carrying if takes or not there else there)[:1] or there[:1])


def _fields(endpoint: Endpoint) -> tuple[Field, ...]:
    return tuple(
        Field(given["name"], given["source"], typed(given["type"] or ""), "None" not in (given["type"] or ""))
        for given in endpoint["inputs"]
    )


def _widths(document: Report, entry: str) -> tuple[int, ...]:
    """How long the rows of numbers are that its models take."""
    tensors = (t for served in document["served_models"] if entry in served["endpoints"] for t in served["inputs"])
    lengths = (t["dims"][-1] for t in tensors if t["dims"] and t["dtype"] not in ("BYTES", "TYPE_STRING"))
    return tuple(dict.fromkeys(length for length in lengths if length > 1))
