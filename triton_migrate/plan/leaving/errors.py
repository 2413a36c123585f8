"""Takes a cut, gives what the app catches around it: those classes must come out of the client as what they were.

So must those for which the application has registered a handler, where what leaves may raise them.

A handler that catches everything must not take "Triton is down" for an error of the model.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, UserClass, Value
from triton_migrate.rulebook.vocabulary import WebHook
from triton_migrate.trace.records import Pipeline

BROAD = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.RuntimeError"})  # what the client's errors are, too


def caught(evaluator: Evaluator, cut: Cut) -> tuple[str, ...]:
    """Names, as the file of the cut knows them, of the classes that handlers around the cut and around the calls to it catch."""
    found: dict[str, None] = {}
    for site in cut.sites:
        levels = [(call, frame) for call, frame in site.chain if frame.scope is not cut.scope]
        for handler in (h for t in _around_run(cut) for h in t.handlers):
            _collect(evaluator, handler, cut.frame, cut, found)
        for call, frame in levels:
            for handler in (h for t in _around_call(frame.scope, call) for h in t.handlers):
                _collect(evaluator, handler, frame, cut, found)
    return ("Exception",) if "Exception" in found or "BaseException" in found else tuple(found)


def registered(evaluator: Evaluator) -> tuple[Value, ...]:
    """The classes of the program and of Python for which it has registered error handlers (`@app.errorhandler(BadImage)`)."""
    found: dict[Value, None] = {}
    for hook in Matcher(evaluator).find(WebHook):
        if hook.rule.when == "error" and hook.place.call.args and not evaluator.program.is_test(hook.place.scope.file):
            values = evaluator.values(hook.place.call.args[0], evaluator.program.generic(hook.place.scope))
            found |= dict.fromkeys(v for v in values if isinstance(v, UserClass) or _builtin(v))
    return tuple(found)


def answered(evaluator: Evaluator, pipeline: Pipeline, cut: Cut, handled: tuple[Value, ...]) -> tuple[str, ...]:
    """Names of what leaves may raise and one of the `handled` classes catches: classes of the program that it does raise, and Python's."""
    if not handled or cut.kind == "alone":  # whatever a model that is served alone raises comes back as it was
        return ()
    raised = (made for made in _raised(evaluator, pipeline, cut) if any(base in handled for base in evaluator.mro(made)))
    every: tuple[Value, ...] = (*raised, *(v for v in handled if isinstance(v, Api)))
    found = (known_as(evaluator, v, cut.scope.file) for v in every)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def failed_with(evaluator: Evaluator, pipeline: Pipeline, cut: Cut) -> tuple[str, ...]:
    """What a queue is told of a job that fails: any class, and those of the program that leave as themselves."""
    found = (known_as(evaluator, made, cut.scope.file) for made in _raised(evaluator, pipeline, cut)) if cut.kind != "alone" else ()
    return (*dict.fromkeys(name for name in found if name is not None), "Exception")


def _builtin(value: Value) -> bool:
    known = getattr(builtins, value.path.removeprefix("builtins."), None) if isinstance(value, Api) else None
    return isinstance(known, type) and issubclass(known, Exception)


def _raised(evaluator: Evaluator, pipeline: Pipeline, cut: Cut) -> Iterator[UserClass]:
    """The program's own classes of errors that what leaves, or a function it comes to, raises."""
    moved = tuple(s.at for s in cut.moved) if cut.kind != "model" else ()
    scopes: dict[Scope, None] = {}
    new = {e for s in pipeline.steps if s.scope is cut.scope and any(ir.holds(at, s.stmt.at) for at in moved) for e in s.enters}
    while new:
        scopes |= dict.fromkeys(new)
        new = {e for s in pipeline.steps if s.scope in new for e in s.enters} - scopes.keys()
    inside = ((cut.scope, s) for s in flow.flatten(cut.moved) if cut.kind != "model")
    below = ((scope, s) for scope in scopes if scope.kind == "function" for s in flow.flatten(scope.function.body))
    for scope, stmt in (*inside, *below):
        if isinstance(stmt, ir.Raise) and stmt.exception is not None:
            for value in evaluator.values(stmt.exception, evaluator.program.generic(scope)):
                made = value.of if isinstance(value, Instance) else value
                if isinstance(made, UserClass):
                    yield made


def swallowing(evaluator: Evaluator, cut: Cut) -> tuple[tuple[str, ir.Try], ...]:
    """By file, the `try` statements around the cut whose handlers would take "Triton is down" for an error of the model."""
    own = () if all(s.beside(cut.scope) for s in cut.sites) else _around_run(cut)  # a worker tells of it as of any other failure
    found = [(cut.scope.file, t, cut.frame) for t in own]
    sites = ((s, call, frame) for s in cut.sites for call, frame in s.chain)
    levels = {id(call): (call, frame) for s, call, frame in sites if frame.scope is not cut.scope and not s.beside(frame.scope)}
    found += [(frame.scope.file, t, frame) for call, frame in levels.values() for t in _around_call(frame.scope, call)]
    found = [(file, t, frame) for file, t, frame in found if not _generates(frame.scope)]  # its answer has begun
    return tuple((file, t) for file, t, frame in found if any(_is_broad(evaluator, h, frame) for h in t.handlers))


def _generates(scope: Scope) -> bool:
    return scope.kind == "function" and scope.function.is_generator


def _is_broad(evaluator: Evaluator, handler: ir.Handler, frame: Frame) -> bool:
    types = handler.type.items if isinstance(handler.type, ir.Sequence) else (handler.type,)
    values = {v for t in types if t is not None for v in evaluator.values(t, frame)}
    return handler.type is None or any(isinstance(v, Api) and v.path in BROAD for v in values)


def _around_run(cut: Cut) -> list[ir.Try]:
    start, end = cut.span.line, cut.span.end_line
    tries = [s for s in flow.flatten(cut.scope.body) if isinstance(s, ir.Try)]
    return [t for t in tries if t.body[0].at[0] <= start and end <= t.body[-1].at[2]]


def _around_call(scope: Scope, call: ir.Call) -> list[ir.Try]:
    tries = [s for s in flow.flatten(scope.body) if isinstance(s, ir.Try)]
    return [t for t in tries if any(e is call for s in t.body for e in flow.every(s))]


def _collect(evaluator: Evaluator, handler: ir.Handler, frame: Frame, cut: Cut, found: dict[str, None]) -> None:
    if handler.type is None:
        found["Exception"] = None
        return
    types = handler.type.items if isinstance(handler.type, ir.Sequence) else (handler.type,)
    for expr in types:
        for value in evaluator.values(expr, frame):
            if name := known_as(evaluator, value, cut.scope.file):
                found[name] = None


def known_as(evaluator: Evaluator, value: Value, file: str) -> str | None:
    """The name that means this class in a file."""
    if isinstance(value, Api) and value.path.startswith("builtins."):
        return value.path.removeprefix("builtins.")
    if not isinstance(value, (Api, UserClass)):
        return None
    module = evaluator.program.frames[file]
    known = next((n for n in module.scope.bindings if value in evaluator.name(n, module)), None)
    if known is not None or not isinstance(value, UserClass) or value.scope.name in module.scope.bindings:
        return known
    return value.scope.name if known_in(evaluator, file, value.scope.name) == value.scope.file else None


def known_in(evaluator: Evaluator, file: str, name: str) -> str:
    """The file that defines a class which handlers around `file` catch: itself where it knows the name, else one that it imports."""
    program = evaluator.program
    if name in program.frames[file].scope.bindings or hasattr(builtins, name):
        return file
    found = [f for f in sorted(program.imported_by(file)) if any(b.how == "class" for b in program.frames[f].scope.bindings.get(name, ()))]
    return found[0] if len(found) == 1 else file
