"""Takes matches of task definitions and of calls that enqueue, gives `Task`s: functions that a queue's workers or threads run."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.entries.records import Entry, Task
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.attributes import task_objects
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Tuples, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import TaskDefine, TaskEnqueue


def tasks(matcher: Matcher, entries: tuple[Entry, ...] = ()) -> tuple[Task, ...]:
    """One task per function: decorated or registered ones, then plain ones that are enqueued (`entries`: threads they start count)."""
    defined = (*_defined(matcher), *_listed(matcher))
    matcher.evaluator.assume({**_firsts(matcher, defined), **_named(matcher)}, {})
    found: dict[tuple[str, int], Task] = {}
    for task in (*defined, *_enqueued(matcher, frozenset(e.handler.scope for e in entries))):
        found.setdefault((task.file, task.line), task)
    return tuple(found[key] for key in sorted(found))


def _defined(matcher: Matcher) -> Iterator[Task]:
    for match in matcher.find(TaskDefine):
        if matcher.program.is_test(match.place.scope.file):
            continue
        given = matcher.constant(port(match.place.call, match.rule.name), match.place) if match.rule.name else None
        bound = matcher.constant(port(match.place.call, match.rule.bound), match.place) if match.rule.bound else None
        for function in _functions(matcher, match):
            if bound is True and not match.rule.itself:
                own = task_objects(matcher.evaluator, function)
                receiver = own[0] if own else Api(matcher.rulebook.canonical(f"{match.api.path}()()"), None, function)
                function = UserFunction(function.scope, function.frame, receiver)
            elif match.rule.passes and not match.rule.itself:
                function = UserFunction(function.scope, function.frame, Api(match.rule.passes))
            yield Task(given if isinstance(given, str) else _name(matcher, function), match.rule.queue, function, match.rule.called)


def _firsts(matcher: Matcher, defined: tuple[Task, ...]) -> dict[tuple[Scope, str], Values]:
    """What tasks and what runs before them get first, for those who look at them without a call: the task object, the worker's context."""
    functions = (t.handler for t in defined if t.handler.scope.owner is None)
    return {
        (f.scope, f.scope.function.parameters[0].name): frozenset({f.receiver})
        for f in (*functions, *worker_startups(matcher))
        if f.receiver is not None and f.scope.function.parameters
    }


def _named(matcher: Matcher) -> dict[tuple[Scope, str], Values]:
    """The tasks that get themselves as a parameter of a certain name."""
    asked = (m for m in matcher.find(TaskDefine) if m.rule.itself and matcher.constant(port(m.place.call, m.rule.bound), m.place) is True)
    return {(f.scope, m.rule.itself): frozenset({Api(m.rule.passes)}) for m in asked for f in _functions(matcher, m)}


def _functions(matcher: Matcher, match: Match[TaskDefine]) -> Iterator[UserFunction]:
    place, frame = match.place, matcher.program.generic(match.place.scope)
    if match.rule.handler != "decorated":
        for value in matcher.evaluator.values(port(place.call, match.rule.handler), frame):
            yield from _within(matcher, value, place.scope)
    elif isinstance(place.decorates, ir.Function):
        yield UserFunction(place.scope.children[id(place.decorates)], frame)
    elif place.call.args:  # `task = app.task(function)`
        for value in matcher.evaluator.values(place.call.args[0], frame):
            yield from _within(matcher, value, place.scope)


def _within(matcher: Matcher, value: Value, scope: Scope) -> Iterator[UserFunction]:
    """A function, by itself, by its name or in a list, or the `run` of a task class."""
    if isinstance(value, (Container, Tuples)):
        for inner in matcher.evaluator.element(value, None):
            yield from _within(matcher, inner, scope)
    elif isinstance(value, (UserClass, Instance)):
        cls, instance = (value, None) if isinstance(value, UserClass) else (value.of, value)
        yield from (v for v in matcher.evaluator.class_attribute(cls, "run", instance) if isinstance(v, UserFunction))
    else:
        yield from (*matcher.evaluator.callables(value), *_dotted(matcher, value, scope))


def _dotted(matcher: Matcher, value: Value, scope: Scope) -> Iterator[UserFunction]:
    """`queue.enqueue("jobs.predict")`: a function by its dotted name."""
    if isinstance(value, Literal) and isinstance(value.value, str):
        module, _, name = value.value.rpartition(".")
        path = matcher.program.module_path(scope.file, module) if module else None
        yield from (v for v in (matcher.evaluator.member(path, name) if path else ()) if isinstance(v, UserFunction))


def _name(matcher: Matcher, function: UserFunction) -> str:
    return f"{matcher.program.module_name(function.scope.file)}.{function.scope.qualname}"


# ---------------------------------------------------------------- what is enqueued


def callees(matcher: Matcher, rule: TaskEnqueue, api: Api, call: ir.Call, frame: Frame) -> Iterator[UserFunction]:
    """The functions that a call by this rule puts on a queue, without those that only the queue's own names lead to."""
    if rule.callee != "self":
        for value in matcher.evaluator.values(port(call, rule.callee), frame):
            yield from _within(matcher, value, frame.scope)
    elif isinstance(api.of, UserFunction):
        yield api.of
    elif isinstance(api.of, Instance):  # an object of a task class
        yield from _within(matcher, api.of, frame.scope)


def _enqueued(matcher: Matcher, handlers: frozenset[Scope]) -> Iterator[Task]:
    for match in matcher.find(TaskEnqueue):
        scope = match.place.scope
        if not match.rule.defines or matcher.program.is_test(scope.file) or (match.rule.defines == "in-route" and scope not in handlers):
            continue
        for function in callees(matcher, match.rule, match.api, match.place.call, matcher.program.generic(scope)):
            yield Task(_name(matcher, function), match.rule.queue, function, training=match.rule.defines == "training")


# ---------------------------------------------------------------- what a class lists by convention


def _listed(matcher: Matcher) -> Iterator[Task]:
    for rule, scope in conventional(matcher):
        for value in _attribute(matcher, scope, rule.listed.rpartition(".")[2]):
            for function in _within(matcher, value, scope):
                yield Task(function.scope.name, rule.queue, UserFunction(function.scope, function.frame, Api(rule.passes)))


def worker_startups(matcher: Matcher) -> tuple[UserFunction, ...]:
    """Functions that such a class has its workers run first."""
    found = ((rule, v) for rule, scope in conventional(matcher) for v in _attribute(matcher, scope, rule.startup))
    return tuple(dict.fromkeys(UserFunction(v.scope, v.frame, Api(r.passes)) for r, v in found if isinstance(v, UserFunction)))


def conventional(matcher: Matcher) -> Iterator[tuple[TaskDefine, Scope]]:
    """The classes, each with the rule by whose convention workers read it."""
    rules = [r for r in matcher.rulebook.of_role(TaskDefine) if r.listed]
    named = {r.listed.rpartition(".")[0]: r for r in rules}
    for file in matcher.program.files.values():
        yield from (
            (named[s.name], s) for s in file.scopes if s.kind == "class" and s.name in named and not matcher.program.is_test(s.file)
        )


def _attribute(matcher: Matcher, scope: Scope, name: str) -> Values:
    assert scope.parent is not None
    return matcher.evaluator.class_attribute(UserClass(scope, matcher.program.generic(scope.parent)), name, None) if name else frozenset()
