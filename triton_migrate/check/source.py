"""Rules on the Python file of a python-backend model, read and never run: what would hang, kill the model or fail every request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model

CLASS = "TritonPythonModel"
EXITS = frozenset({("sys", "exit"), ("os", "_exit")})


def source_problems(repository: Path, model: Model) -> Iterator[Problem]:
    """Of every served version's model file."""
    if model.backend != "python":
        return
    for file in model.model_files:
        if file.is_file():
            place = file.relative_to(repository).as_posix()
            yield from _file(file, place, decoupled=model.config.model_transaction_policy.decoupled)


def _file(file: Path, place: str, *, decoupled: bool) -> Iterator[Problem]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as trouble:
        yield Problem(
            place, getattr(trouble, "lineno", None) or 1, "error", "python-syntax", f"is no Python: {trouble}", "the model does not load"
        )
        return
    owner = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == CLASS), None)
    if owner is None:
        if not any(_binds(node) for node in tree.body):
            yield Problem(place, 1, "error", "no-class", f"has no class {CLASS}", "the backend looks for that name")
        return
    methods = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    execute = methods.get("execute")
    if execute is None and not owner.bases:
        yield Problem(place, owner.lineno, "error", "no-execute", f"{CLASS} has no method execute", "it loads, and fails on every request")
    if execute is not None and not decoupled and not _sends(owner) and not _gives(execute):
        yield Problem(
            place,
            execute.lineno,
            "error",
            "execute-gives-none",
            "execute returns nothing: the request hangs for ever",
            "return one InferenceResponse per request",
        )
    if complete := methods.get("auto_complete_config"):
        yield Problem(
            place,
            complete.lineno,
            "note",
            "auto-complete",
            "auto_complete_config starts the interpreter twice",
            "write a complete config.pbtxt and leave it out",
        )
    for node in ast.walk(owner):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            if (node.func.value.id, node.func.attr) in EXITS:
                yield Problem(
                    place,
                    node.lineno,
                    "error",
                    "exits",
                    f"{node.func.value.id}.{node.func.attr} ends the model's process: every later request fails",
                    "raise an error instead",
                )


def _binds(node: ast.stmt) -> bool:
    """Does the statement bring the class in: an import or an assignment?"""
    if isinstance(node, ast.ImportFrom):
        return any((alias.asname or alias.name) in (CLASS, "*") for alias in node.names)
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == CLASS for t in node.targets)


def _sends(owner: ast.ClassDef) -> bool:
    """Does it answer by a response sender, which may go with `execute` returning nothing?"""
    return any(isinstance(node, ast.Attribute) and node.attr == "get_response_sender" for node in ast.walk(owner))


def _gives(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Does it return a value, or never come to its end?"""
    inner = [n for n in ast.walk(function) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and n is not function]
    skip = {id(child) for each in inner for child in ast.walk(each)}
    own = [node for node in ast.walk(function) if id(node) not in skip]
    given = [
        n
        for n in own
        if isinstance(n, ast.Return) and n.value is not None and not (isinstance(n.value, ast.Constant) and n.value.value is None)
    ]
    return bool(given) or isinstance(function.body[-1], ast.Raise)
