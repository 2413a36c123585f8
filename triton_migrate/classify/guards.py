"""Takes an entry, gives the places that let only those through who may: decorators, dependencies, permission classes, hooks, guards.

What a library checks is known by its rules (`web.auth`); what the program checks by itself, by the status that it refuses with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import NOTHING, Api, Instance, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebAuth, WebHook
from triton_migrate.trace.records import InputOrigin

REFUSALS = (401, 403)  # HTTP's "Unauthorized" and "Forbidden"
NAMED = ("UNAUTHORIZED", "FORBIDDEN", "PERMISSIONDENIED", "NOTAUTHENTICATED")  # as `http`, frameworks and their exceptions call them
SENT = {"header", "cookie"}
DEEPEST = 4  # dependencies of dependencies


def guards(course: Course, matcher: Matcher) -> Iterator[Span]:
    """Where the entry, or what it stands on, turns strangers away."""
    scope, evaluator = course.pipeline.entry.scope, course.evaluator
    for expr, frame in _around(scope, evaluator.program.generic(scope).parent, evaluator):
        if any(_admits(evaluator, v, 0) for part in _parts(expr) for v in evaluator.values(part, frame)):
            yield evaluator.program.span(frame.scope, expr.at)
    for step in course.pipeline.steps:
        if not isinstance(step.stmt, ir.If) or not of.rejects(step.stmt):
            continue
        sent = any(o.source in SENT for o in step.taint.of(InputOrigin))
        if sent or (of.from_client(step) and not of.from_model(step) and _refuses(step.stmt.body)):
            yield step.span
    yield from _hooks(matcher)


def _around(scope: Scope, frame: Frame | None, evaluator: Evaluator) -> Iterator[tuple[ir.Expr, Frame]]:
    """Decorators, parameters, and what the handler's class or the router that it is registered on were told."""
    if frame is None:
        return
    for decorator in scope.function.decorators:
        yield decorator, frame
        for api in evaluator.apis(decorator.func if isinstance(decorator, ir.Call) else decorator, frame):
            if (place := evaluator.program.call_at(api.site)) is not None:
                yield from ((value, evaluator.program.generic(place.scope)) for key, value in place.call.keywords if key == "dependencies")
    yield from _parameters(scope.function.parameters, frame, evaluator)
    if scope.owner is not None:
        definition = scope.owner.definition
        yield from ((base, frame.parent or frame) for base in (*definition.bases, *definition.decorators))
        yield from ((s.value, frame) for s in definition.body if isinstance(s, ir.Assign) and s.value is not None)


def _parameters(parameters: Iterable[ir.Parameter], frame: Frame, evaluator: Evaluator) -> Iterator[tuple[ir.Expr, Frame]]:
    for parameter in parameters:
        if parameter.default is not None:
            yield parameter.default, frame
        if parameter.annotation is not None:
            yield evaluator.type_alias(parameter.annotation, frame) or (parameter.annotation, frame)


def _parts(expr: ir.Expr) -> Iterator[ir.Expr]:
    return (part for part in flow.walk(expr) if isinstance(part, (ir.Name, ir.Attribute, ir.Call)))


def _admits(evaluator: Evaluator, value: Value, depth: int) -> bool:
    """Whether a decorator, a dependency or a class is there to let only some through."""
    match value:
        case Api(path):
            return evaluator.rulebook.find(path.removesuffix("()"), WebAuth) is not None
        case UserClass() | Instance():
            cls = value if isinstance(value, UserClass) else value.of
            own = evaluator.class_attribute(cls, "__call__", None) if isinstance(value, Instance) else NOTHING
            return any(_admits(evaluator, v, depth) for v in (*(b for b in evaluator.mro(cls) if isinstance(b, Api)), *own))
        case UserFunction(scope):
            inner = (scope, *(s for s in scope.children.values() if s.kind == "function"))
            if any(_refuses(s.function.body) or _asks_library(evaluator, s) for s in inner):
                return True
            given = _parameters(scope.function.parameters, value.frame, evaluator) if depth < DEEPEST else ()
            return any(_admits(evaluator, v, depth + 1) for e, f in given for p in _parts(e) for v in evaluator.values(p, f))
    return False


def _asks_library(evaluator: Evaluator, scope: Scope) -> bool:
    """`verify_jwt_in_request()` in the function itself."""
    frame = evaluator.program.generic(scope)
    calls = (p for s in flow.flatten(scope.body) for p in flow.own(s) if isinstance(p, ir.Call))
    return any(evaluator.rulebook.find(api.path, WebAuth) for call in calls for api in evaluator.apis(call.func, frame))


def _refuses(block: ir.Block) -> bool:
    return any(_refusal(part) for s in flow.flatten(block) for part in flow.own(s))


def _refusal(part: ir.Expr) -> bool:
    match part:
        case ir.Constant(_, int() as status):
            return status in REFUSALS
        case ir.Name(_, name) | ir.Attribute(_, _, name):
            return any(word in name.replace("_", "").upper() for word in NAMED)
    return False


def _hooks(matcher: Matcher) -> Iterator[Span]:
    """Functions that run before every request and may refuse it."""
    for hook in matcher.find(WebHook):
        place = hook.place
        if hook.rule.when == "request" and isinstance(place.decorates, ir.Function) and _refuses(place.decorates.body):
            yield matcher.program.span(place.scope, place.decorates.at)
