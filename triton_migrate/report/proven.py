"""Takes a document with a fresh verification, gives it back with the proof that each pipeline and each change has reached.

A server that started has loaded all models. Parity asks that the entry itself was asked, that Triton answered it, and that every reply was
equal; faster is said only of the entry that was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from triton_migrate.report.document import Change, Endpoint, Proof, Report, ServedModel, Task
from triton_migrate.report.matching import asked
from triton_migrate.report.pipelines import Pipeline, pipelines
from triton_migrate.report.proof import gained
from triton_migrate.report.verification import Verification

LEVELS: Final[tuple[Proof, ...]] = get_args(Proof)
SERVED: Final = "triton_serving/model_repository/"


def proven(document: Report) -> Report:
    """The document with its proofs set anew."""
    verification = document["verification"]
    if verification is None:
        return document
    rows = pipelines(document)
    reached = _entries(rows, verification, document["served_models"])
    endpoints: list[Endpoint] = [_with_proof(endpoint, reached) for endpoint in document["endpoints"]]
    tasks: list[Task] = [_task_with_proof(task, document["served_models"], reached) for task in document["tasks"]]
    changes: list[Change] = [{**change, "proof": _of_change(change, rows, document, reached)} for change in document["changes"]]
    return {**document, "endpoints": endpoints, "tasks": tasks, "changes": changes}


def _with_proof(endpoint: Endpoint, reached: dict[str, Proof]) -> Endpoint:
    port, level = endpoint["port"], reached.get(endpoint["id"])
    return endpoint if port is None or level is None else {**endpoint, "port": {**port, "proof": level}}


def _task_with_proof(task: Task, served_models: Sequence[ServedModel], reached: dict[str, Proof]) -> Task:
    """What is proven of the routes that ask for the same models: nobody asks for a task but a route."""
    port, name = task.get("port"), f"task {task['name']}"
    if port is None or port["status"] != "ported" or not reached:
        return task
    asking = {entry for served in served_models if name in served["endpoints"] for entry in served["endpoints"]}
    levels = [reached[entry] for entry in asking & reached.keys()]
    return {**task, "port": {**port, "proof": min(levels, key=LEVELS.index, default="loaded")}}


def _entries(rows: Sequence[Pipeline], verification: Verification, served_models: Sequence[ServedModel]) -> dict[str, Proof]:
    """The ported entries."""
    ported = {row.entry for row in rows if row.status == "ported" and row.kind == "endpoint"}
    crowd = verification.get("together")
    mixed = {one["id"] for one in crowd["mixed_up"]} if crowd else set()
    answered, failed, measured = set(), set(), set()
    load = verification["load"]
    for request in verification["requests"]:
        row = asked(request["method"], request["path"], rows)
        if row is None:
            continue
        answered |= {row.entry} if request["on_triton"] else set()
        wrong = not request["equal"] or request["id"] in mixed or (request["on_triton"] is False and not request.get("guessed"))
        failed |= {row.entry} if wrong else set()
        if load is not None and load.get("request") == request["id"] and gained(load):
            measured.add(row.entry)
    mixing = {check["model"] for check in verification.get("rows", ()) if check["mixed_up"]}
    failed |= {entry for served in served_models if served["name"] in mixing for entry in served["endpoints"]}
    alike = answered - failed
    return {entry: "faster" if entry in alike & measured else "parity" if entry in alike else "loaded" for entry in ported}


def _of_change(change: Change, rows: Sequence[Pipeline], document: Report, reached: dict[str, Proof]) -> Proof | None:
    """The least that is proven of the pipelines that a file is part of; what no machine reads has no proof."""
    if change["proof"] is None or not reached:
        return change["proof"]
    file = change["file"]
    model = file.removeprefix(SERVED).partition("/")[0] if file.startswith(SERVED) else None
    if model is not None:
        entries = {entry for served in document["served_models"] if served["name"] == model for entry in served["endpoints"]}
    else:
        entries = {row.entry for row in rows if file == row.file or any(s["file"] == file for s in row.found["stages"])}
    levels = [reached[entry] for entry in entries & reached.keys()] or list(reached.values())
    return min(levels, key=LEVELS.index)
