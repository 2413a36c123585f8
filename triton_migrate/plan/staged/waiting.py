"""Takes a study, gives the sources in which coroutines that wait for nothing are plain functions: Triton runs those as stages.

`async def preprocess(content)` whose body awaits nothing, or only its like, runs through when it is awaited, as a plain call does. It is
made one where its every mention in the program is an awaited call; what waits for something (a file, a client, a lock) stays a coroutine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import UserFunction
from triton_migrate.study import Study

PLAIN = "what is awaited there waits for nothing: it is a plain function, as its stage in Triton is"


@dataclass(frozen=True, slots=True, eq=False)
class _Awaited:
    """An awaited call, and the functions that it may enter; none where it is not known."""

    file: str
    at: ir.At
    call: ir.Call
    inside: Scope
    enters: frozenset[Scope]


def settled(study: Study) -> dict[str, str]:
    """By file, the text without needless coroutines; empty where none of them is behind a request that runs a model."""
    behind = {step.scope for p, _ in study.inferring for step in p.steps} - {p.entry.scope for p, _ in study.inferring}
    open_scopes = {s for s in behind if s.kind == "function" and s.function.is_async and not s.function.is_generator}
    if not open_scopes:
        return {}
    awaited = tuple(_awaited(study.evaluator))
    plain = _plain(study.evaluator, open_scopes, awaited)
    edits: dict[str, list[tuple[ir.At, str]]] = {}
    for scope in plain:
        line, column = scope.function.at[:2]
        edits.setdefault(scope.file, []).append(((line, column, line, column + len("async ")), ""))
    for each in awaited:
        if each.enters and each.enters <= plain:
            edits.setdefault(each.file, []).append(((*each.at[:2], *each.call.at[:2]), ""))
    texts = {s.path: s.text for s in study.project.sources}
    whole = {file: Text(texts[file]) for file in edits}
    made = {f: t.piece((1, 0, len(t.lines), len(t.lines[-1])), tuple(dict.fromkeys(edits[f]))) for f, t in whole.items()}
    return made if all(map(_is_python, made.values())) else {}


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:  # `await (f())`
        return False
    return True


def _awaited(evaluator: Evaluator) -> Iterator[_Awaited]:
    for file in evaluator.program.files.values():
        for scope in file.scopes:
            frame = evaluator.program.generic(scope)
            for expr in (e for s in flow.flatten(scope.body) for e in flow.own(s)):
                if isinstance(expr, ir.Await) and isinstance(expr.value, ir.Call):
                    yield _Awaited(scope.file, expr.at, expr.value, scope, _enters(evaluator, expr.value, frame))


def _enters(evaluator: Evaluator, call: ir.Call, frame: Frame) -> frozenset[Scope]:
    values = evaluator.values(call.func, frame)
    known = all(isinstance(v, UserFunction) for v in values)
    return frozenset(f.scope for v in values for f in evaluator.callables(v)) if known else frozenset()


def _plain(evaluator: Evaluator, found: set[Scope], awaited: tuple[_Awaited, ...]) -> set[Scope]:
    """Those that wait for nothing but each other, and that nothing but an awaited call mentions."""
    calls = {id(a.call.func): a for a in awaited}
    mentions: dict[str, list[_Awaited | None]] = {}
    for file in evaluator.program.files.values():
        for scope in file.scopes:
            for expr in (e for s in flow.flatten(scope.body) for e in flow.own(s)):
                if isinstance(expr, (ir.Name, ir.Attribute)):
                    mentions.setdefault(expr.id if isinstance(expr, ir.Name) else expr.attr, []).append(calls.get(id(expr)))
            for stmt in flow.flatten(scope.body):
                for name, other in stmt.names if isinstance(stmt, ir.ImportFrom) else ():
                    if other is not None:  # under which it may be mentioned
                        mentions.setdefault(name, []).append(None)
    found = {s for s in found if not s.function.decorators and not s.name.startswith("__")}
    while True:
        kept = {
            s for s in found
            if all(m is not None and m.enters and m.enters <= found for m in mentions.get(s.name, ()))
            and all(a.enters and a.enters <= found for a in awaited if a.inside is s)
            and not _waits(s)
        }  # fmt: skip
        if kept == found:
            return found
        found = kept


def _waits(scope: Scope) -> bool:
    """`async with`, `async for`, or an `await` of something that is no call."""
    inner = tuple(flow.flatten(scope.function.body))
    blocks = any(isinstance(s, (ir.For, ir.With)) and s.is_async for s in inner)
    return blocks or any(isinstance(e, ir.Await) and not isinstance(e.value, ir.Call) for s in inner for e in flow.own(s))
