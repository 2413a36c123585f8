"""Takes matches of stream sources, gives `Consumer`s: loops and callbacks that work on incoming data without HTTP or a task queue.

Scripts are candidates too: what a person starts by hand to score a batch. Whether a model is reached is for the trace to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from triton_migrate.entries.records import Consumer
from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, Instance, Unknown, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import StreamSource

COMMAND = "command"  # a function that a person starts by hand: a script
DEEPEST = 2  # helpers around the reading call


def consumers(matcher: Matcher, served: frozenset[Scope]) -> tuple[Consumer, ...]:
    """One for each function or module that reads a stream, then the scripts; not `served` code, which a route or a task runs."""
    found: dict[Scope, Consumer] = {}
    for consumer in (*_callbacks(matcher), *_served(matcher), *_reading(matcher), *_iterating(matcher)):
        if consumer.scope not in served and not matcher.program.is_test(consumer.file):
            found.setdefault(consumer.scope, consumer)
    return tuple(sorted(found.values(), key=lambda c: (c.file, c.line)))


def scripts(matcher: Matcher, entries: frozenset[str]) -> tuple[Consumer, ...]:
    """The files that a person starts by hand: none of the program's imports them, and they do not start the `entries`."""
    program = matcher.program
    commands: dict[str, list[Consumer]] = {}
    for match in matcher.find(StreamSource):
        if match.rule.kind == COMMAND and isinstance(decorated := match.place.decorates, ir.Function):
            scope = match.place.scope.children[id(decorated)]
            commands.setdefault(scope.file, []).append(Consumer("script", scope, decorated.at))
    imported = {path for file in program.files for path in program.imports(file)}
    found = []
    for path, file in program.files.items():
        if path not in imported and not program.is_test(path) and not program.imported_by(path) & entries:
            started = next((s for s in file.module.body if flow.is_main(s)), None)
            first = next((s for s in file.module.body if isinstance(s, (ir.Assign, ir.Evaluate, ir.For, ir.While, ir.With))), None)
            if (shown := started or first) is not None:
                found += commands.get(path) or [Consumer("script", file.module, shown.at)]
    return tuple(found)


def _callbacks(matcher: Matcher) -> Iterator[Consumer]:
    for match in matcher.find(StreamSource):
        place = match.place
        if match.rule.kind == COMMAND:
            continue
        if match.rule.handler == "decorated" and isinstance(place.decorates, ir.Function):
            yield Consumer(match.rule.kind, place.scope.children[id(place.decorates)], place.decorates.at)
        elif match.rule.handler:
            for value in matcher.evaluator.values(port(place.call, match.rule.handler), matcher.program.generic(place.scope)):
                for function in matcher.evaluator.callables(value):
                    yield Consumer(match.rule.kind, function.scope, function.scope.function.at)


def _served(matcher: Matcher) -> Iterator[Consumer]:
    """The methods of an object that is handed to a generated function that is not there: `add_TidesServicer_to_server(Tides(), server)`."""
    for rule in (r for r in matcher.rulebook.of_role(StreamSource) if r.generated):
        last = rule.generated.rpartition(".")[2]
        for place in (p for name in matcher.program.called if fnmatchcase(name, last) for p in matcher.program.calls(name)):
            frame = matcher.program.generic(place.scope)
            values = matcher.evaluator.values(place.call.func, frame)  # unknown: `from . import tides_pb2_grpc`
            if all(isinstance(v, Unknown) or (isinstance(v, Api) and fnmatchcase(v.path, f"*{rule.generated}")) for v in values):
                for value in matcher.evaluator.values(port(place.call, rule.served), frame):
                    yield from _methods(matcher, rule, value)


def _methods(matcher: Matcher, rule: StreamSource, value: Value) -> Iterator[Consumer]:
    bases = matcher.evaluator.mro(value.of) if isinstance(value, Instance) else ()
    for stmt in (s for base in reversed(bases) if isinstance(base, UserClass) for s in base.scope.definition.body):
        if isinstance(stmt, ir.Define) and not stmt.function.name.startswith("_") and len(stmt.function.parameters) == rule.takes + 1:
            for function in matcher.evaluator.attribute(value, stmt.function.name):
                if isinstance(function, UserFunction):
                    yield Consumer(rule.kind, function.scope, function.scope.function.at)


def _reading(matcher: Matcher) -> Iterator[Consumer]:
    for match in matcher.find(StreamSource):
        if not match.rule.handler:
            for scope, loop in _loops_around(matcher, match.place, 0):
                yield _consumer(match, scope, loop)


def _consumer(match: Match[StreamSource], scope: Scope, loop: ir.Stmt) -> Consumer:
    return Consumer(match.rule.kind, scope, scope.function.at if scope.kind == "function" else loop.at)


def _loops_around(matcher: Matcher, place: CallPlace, depth: int) -> Iterator[tuple[Scope, ir.Stmt]]:
    """The loop that the call stands in, else those that call the function it stands in."""
    loop = next(flow.loops_around(place.scope.body, place.call.at), None)
    if loop is not None:
        yield place.scope, loop
    elif depth < DEEPEST and place.scope.kind == "function":
        for outer in matcher.program.calls(place.scope.name):
            frame = matcher.program.generic(outer.scope)
            called = (f for v in matcher.evaluator.values(outer.call.func, frame) for f in matcher.evaluator.callables(v))
            if any(f.scope is place.scope for f in called):
                yield from _loops_around(matcher, outer, depth + 1)


def _iterating(matcher: Matcher) -> Iterator[Consumer]:
    """`for message in consumer`, `for number, message in enumerate(consumer)`."""
    if not matcher.calls_any(path for rule in matcher.rulebook.of_role(StreamSource) for path in rule.api if path.endswith("]")):
        return
    for file in matcher.program.files.values():
        for scope in file.scopes:
            for loop in (s for s in flow.flatten(scope.body) if isinstance(s, ir.For)):
                for api in (a for expr in _gone_over(loop.iterable) for a in matcher.evaluator.apis(expr, matcher.program.generic(scope))):
                    if rule := matcher.rulebook.find(matcher.rulebook.canonical(f"{api.path}[]"), StreamSource):
                        yield Consumer(rule.kind, scope, scope.function.at if scope.kind == "function" else loop.at)


def _gone_over(iterable: ir.Expr) -> tuple[ir.Expr, ...]:
    """What a loop goes over, by itself or counted, limited or shown by the call around it."""
    return (iterable, *iterable.args) if isinstance(iterable, ir.Call) else (iterable,)
