"""Takes the routes and the ported tasks, gives the calls that put a task on its queue only to wait for it, and the same without the queue.

The task is a client of Triton, so the route can run it itself: what the route gets answers as a result from the queue would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.match import Match, Matcher, is_test
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import TaskEnqueue, TaskWait


@dataclass(frozen=True, slots=True)
class Direct:
    """`code` takes the place of the expression at `span`. `task`: the function that is run; `wait`: where its result is waited for."""

    span: Span
    code: str
    task: Scope
    wait: Span


def direct_calls(matcher: Matcher, texts: dict[str, Text], tasks: frozenset[Scope]) -> Iterator[Direct]:
    """`tasks`: functions that are clients of Triton."""
    for match in matcher.find(TaskEnqueue):
        file = match.place.scope.file
        if not match.rule.direct or is_test(file) or match.place.scope.kind != "function" or match.place.scope in tasks:
            continue
        values = matcher.evaluator.values(_task(match), _frame(matcher, match))
        functions = {f.scope for v in values for f in matcher.evaluator.callables(v)}
        if len(functions) != 1 or not functions <= tasks:
            continue
        if (wait := _waited(matcher, match)) is not None:
            yield Direct(*_written(match, texts[file]), functions.pop(), Span(file, *wait.at))


def _task(match: Match[TaskEnqueue]) -> ir.Expr:
    """`score` of `score.delay(x)`."""
    func = match.place.call.func
    return func.value if isinstance(func, ir.Attribute) else func


def _frame(matcher: Matcher, match: Match[TaskEnqueue]) -> Frame:
    return matcher.program.generic(match.place.scope)


def _waited(matcher: Matcher, match: Match[TaskEnqueue]) -> ir.Call | None:
    """The call that waits, where nothing else is done with what the queue gave: no client is told the job's id."""
    body, call = match.place.scope.function.body, match.place.call
    waits = [e for s in body for e in flow.every(s) if isinstance(e, ir.Call) and isinstance(e.func, ir.Attribute)]
    at_once = next((w for w in waits if isinstance(w.func, ir.Attribute) and w.func.value is call and _is_wait(matcher, match, w)), None)
    if at_once is not None:
        return at_once
    held = next((s for s in flow.flatten(body) if isinstance(s, ir.Assign) and s.value is call), None)
    if held is None or len(held.targets) != 1 or not isinstance(held.targets[0], ir.Name):
        return None
    name = held.targets[0].id
    read = [e for s in body for e in flow.every(s) if isinstance(e, ir.Name) and e.id == name and e is not held.targets[0]]
    said = [w for w in waits if isinstance(w.func, ir.Attribute) and any(w.func.value is e for e in read)]
    found = [w for w in said if _is_wait(matcher, match, w)]
    bound = sum(name in flow.binds((s,)) for s in flow.flatten(body) if isinstance(s, ir.Assign))
    return found[0] if found and len(said) == len(read) == len(found) and bound == 1 else None


def _is_wait(matcher: Matcher, match: Match[TaskEnqueue], call: ir.Call) -> bool:
    apis = matcher.evaluator.apis(call.func, _frame(matcher, match))
    return any(matcher.rulebook.find(a.called, TaskWait) is not None for a in apis)


def _written(match: Match[TaskEnqueue], text: Text) -> tuple[Span, str]:
    """The call that runs the task here."""
    call, rule = match.place.call, match.rule
    file, made = match.place.scope.file, f"{text.piece(_task(match).at)}.{rule.direct}"
    if rule.first < 0:  # it takes the same arguments
        return Span(file, *call.func.at), made
    given = [text.piece(a.at) for a in call.args]
    named = [f'"{k}": {text.piece(v.at)}' if k is not None else f"**{text.piece(v.at)}" for k, v in call.keywords]
    arguments = [f"({', '.join(given)}{',' if len(given) == 1 else ''})", *(["{" + ", ".join(named) + "}"] if named else [])]
    return Span(file, *call.at), f"{made}({', '.join(arguments)})"
