"""Takes matches of task definitions, gives `Task`s: functions that a queue's workers run."""

from __future__ import annotations

from triton_migrate.entries.records import Task
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.values import UserFunction
from triton_migrate.rulebook.vocabulary import TaskDefine


def tasks(matcher: Matcher) -> tuple[Task, ...]:
    """One task per decorated or registered function; its name is the one given, else module and function."""
    found: dict[tuple[str, int], Task] = {}
    for match in matcher.find(TaskDefine):
        place, program = match.place, matcher.program
        given = matcher.constant(port(place.call, match.rule.name), place) if match.rule.name else None
        if match.rule.handler == "decorated":
            decorated = place.decorates
            functions = (
                [UserFunction(place.scope.children[id(decorated)], program.generic(place.scope))]
                if isinstance(decorated, ir.Function)
                else []
            )
        else:
            values = matcher.evaluator.values(port(place.call, match.rule.handler), program.generic(place.scope))
            functions = [v for v in values if isinstance(v, UserFunction)]
        for function in functions:
            scope = function.scope
            name = given if isinstance(given, str) else f"{program.module_name(scope.file)}.{scope.qualname}"
            found.setdefault((scope.file, scope.function.at[0]), Task(name, match.rule.queue, function))
    return tuple(found[key] for key in sorted(found))
