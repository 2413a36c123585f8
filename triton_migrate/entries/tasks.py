"""Takes matches of task definitions and of calls that enqueue, gives `Task`s: functions that a queue's workers or threads run."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.entries.records import Entry, Task
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher, is_test
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Instance, Literal, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import TaskDefine, TaskEnqueue


def tasks(matcher: Matcher, entries: tuple[Entry, ...] = ()) -> tuple[Task, ...]:
    """One task per function: decorated or registered ones, then plain ones that are enqueued (`entries`: threads they start count)."""
    found: dict[tuple[str, int], Task] = {}
    for task in (*_defined(matcher), *_enqueued(matcher, frozenset(e.handler.scope for e in entries))):
        found.setdefault((task.file, task.line), task)
    return tuple(found[key] for key in sorted(found))


def _defined(matcher: Matcher) -> Iterator[Task]:
    for match in matcher.find(TaskDefine):
        if is_test(match.place.scope.file):
            continue
        given = matcher.constant(port(match.place.call, match.rule.name), match.place) if match.rule.name else None
        bound = matcher.constant(port(match.place.call, match.rule.bound), match.place) if match.rule.bound else None
        for function in _functions(matcher, match):
            if bound is True:
                function = UserFunction(function.scope, function.frame, Api(matcher.rulebook.canonical(f"{match.api.path}()()")))
            name = given if isinstance(given, str) else _name(matcher, function)
            yield Task(name, match.rule.queue, function)


def _functions(matcher: Matcher, match: Match[TaskDefine]) -> Iterator[UserFunction]:
    place, frame = match.place, matcher.program.generic(match.place.scope)
    if match.rule.handler != "decorated":
        for value in matcher.evaluator.values(port(place.call, match.rule.handler), frame):
            yield from _run(matcher, value)
    elif isinstance(place.decorates, ir.Function):
        yield UserFunction(place.scope.children[id(place.decorates)], frame)
    elif place.call.args:  # `task = app.task(function)`
        for value in matcher.evaluator.values(place.call.args[0], frame):
            yield from _run(matcher, value)


def _run(matcher: Matcher, value: Value) -> Iterator[UserFunction]:
    """A function, or the `run` of a task class."""
    if isinstance(value, UserFunction):
        yield value
    elif isinstance(value, (UserClass, Instance)):
        cls = value if isinstance(value, UserClass) else value.of
        instance = value if isinstance(value, Instance) else None
        yield from (v for v in matcher.evaluator.class_attribute(cls, "run", instance) if isinstance(v, UserFunction))


def _enqueued(matcher: Matcher, handlers: frozenset[Scope]) -> Iterator[Task]:
    for match in matcher.find(TaskEnqueue):
        scope = match.place.scope
        if not match.rule.defines or is_test(scope.file) or (match.rule.defines == "in-route" and scope not in handlers):
            continue
        for value in matcher.evaluator.values(port(match.place.call, match.rule.callee), matcher.program.generic(scope)):
            for function in (*matcher.evaluator.callables(value), *_named(matcher, value, scope)):
                yield Task(_name(matcher, function), match.rule.queue, function)


def _named(matcher: Matcher, value: Value, scope: Scope) -> Iterator[UserFunction]:
    """`queue.enqueue("jobs.predict")`: a function by its dotted name."""
    if isinstance(value, Literal) and isinstance(value.value, str):
        module, _, name = value.value.rpartition(".")
        path = matcher.program.module_path(scope.file, module) if module else None
        yield from (v for v in (matcher.evaluator.member(path, name) if path else ()) if isinstance(v, UserFunction))


def _name(matcher: Matcher, function: UserFunction) -> str:
    return f"{matcher.program.module_name(function.scope.file)}.{function.scope.qualname}"
