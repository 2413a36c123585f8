"""Takes the routes and the ported tasks, gives the calls that put a task on its queue only to wait for it, and the same without the queue.

The task is a client of Triton, so the route can run it itself: what the route gets answers as a result from the queue would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from triton_migrate.base import Span
from triton_migrate.entries.tasks import callees
from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.match import Matcher
from triton_migrate.plan.around.waits import Waited, waited
from triton_migrate.plan.records import Levels
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import TaskDefine, TaskEnqueue, TaskOption

FEWEST = 2  # levels


@dataclass(frozen=True, slots=True)
class Direct:
    """`code` takes the place of the expression at `span`. `task`: the function that is run; `wait`: where its result is waited for; `put`:
    the call that put it on the queue.

    `called` is what `code` calls, by which a level of priority is told; `priority` is what the queue is told, 0 if nothing, None if that
    is not known, and `least` whether the least number comes first, where the call says something of it. What gives the task's result at
    once makes the waits (`waited`) the result itself, which `name` holds, and the `loops` before them needless.
    """

    span: Span
    code: str
    task: Scope
    wait: Span
    put: Span
    called: str = ""
    priority: int | None = 0
    least: bool | None = None
    waited: tuple[Span, ...] = ()
    loops: tuple[Span, ...] = ()
    name: str = ""

    def at(self, level: int | None, client: str) -> str:
        """The code, asking Triton at a level of priority."""
        return self.code if level is None else self.code.replace(self.called, f"{client}.urgent({level}, {self.called})", 1)


class _Put(NamedTuple):
    """A call that puts a task on its queue. `task` gives the task, `direct` or `plain` runs it here; `gives`: see plan.around.waits."""

    place: CallPlace
    task: ir.Expr
    direct: str
    plain: str
    rule: TaskEnqueue | None
    api: Api | None
    gives: str = ""


def direct_calls(matcher: Matcher, texts: dict[str, Text], tasks: frozenset[Scope], brokers: tuple[str, ...] = ()) -> Iterator[Direct]:
    """`tasks`: functions that are clients of Triton; `brokers`: the services that queues are on."""
    for put in (*_enqueued(matcher), *_called(matcher)):
        scope = put.place.scope
        if matcher.program.is_test(scope.file) or scope.kind != "function" or scope in tasks:
            continue
        values = matcher.evaluator.values(put.task, matcher.program.generic(scope))
        functions = {f.scope for v in values for f in matcher.evaluator.callables(v)}
        if len(functions) != 1 or not functions <= tasks or _does_more(matcher, put):
            continue
        found = waited(matcher, put.place, put.gives)
        if found is None or (not put.plain and found.loops) or (put.plain and not _catches_late(matcher, put, found)):
            continue
        text, task = texts[scope.file], functions.pop()
        yield _plainly(matcher, put, text, found, task) if put.plain else _directly(matcher, put, text, found, task, brokers)


def still_queued(matcher: Matcher, direct: tuple[Direct, ...]) -> frozenset[Scope]:
    """The tasks of `direct` calls that others still put on the queue."""
    gone, tasks = {d.put for d in direct}, {d.task for d in direct}
    found: set[Scope] = set()
    for match in matcher.find(TaskEnqueue) if tasks else ():
        scope = match.place.scope
        if not matcher.program.is_test(scope.file) and Span(scope.file, *match.place.call.at) not in gone:
            called = callees(matcher, match.rule, match.api, match.place.call, matcher.program.generic(scope))
            found |= {f.scope for f in called} & tasks
    for put in _called(matcher) if tasks else ():
        scope = put.place.scope
        if not matcher.program.is_test(scope.file) and Span(scope.file, *put.place.call.at) not in gone:
            values = matcher.evaluator.values(put.task, matcher.program.generic(scope))
            found |= {f.scope for v in values for f in matcher.evaluator.callables(v)} & tasks
    return frozenset(found)


def _enqueued(matcher: Matcher) -> Iterator[_Put]:
    for match in matcher.find(TaskEnqueue):
        rule, call = match.rule, match.place.call
        if not (rule.direct or rule.plain) or rule.partial:
            continue
        task = port(call, rule.callee) if rule.callee != "self" else call.func.value if isinstance(call.func, ir.Attribute) else None
        if task is not None:
            yield _Put(match.place, task, rule.direct, rule.plain, rule, match.api)


def _called(matcher: Matcher) -> Iterator[_Put]:
    """Calls of tasks whose call puts them on the queue."""
    for match in matcher.find(TaskDefine):
        if match.rule.called and match.rule.plain and isinstance(match.place.decorates, ir.Function):
            for place in matcher.program.calls(match.place.decorates.name):
                yield _Put(place, place.call.func, "", match.rule.plain, None, None, match.rule.gives)


def _does_more(matcher: Matcher, put: _Put) -> bool:
    """Whether the queue is told more than a call of the task can do: a name that clients know the job by, what runs before or after it."""
    option = matcher.rulebook.find(put.api.called, TaskOption) if put.api is not None else None
    known = dict(o.split("=") for o in option.options) if option is not None else {}
    own = put.rule.own if put.rule is not None else ()
    return any(known.get(k, "workflow") == "workflow" for k, _ in put.place.call.keywords if k in own)


def _directly(matcher: Matcher, put: _Put, text: Text, found: Waited, task: Scope, brokers: tuple[str, ...]) -> Direct:
    """What runs the task gives a result of the same methods as the queue does."""
    assert put.rule is not None and put.api is not None
    made = f"{text.piece(put.task.at)}.{put.direct}"
    file, wait = put.place.scope.file, found.waits[0].expr
    if put.rule.first < 0:  # it takes the same arguments
        span, code = Span(file, *put.place.call.func.at), made
    else:
        span, code = Span(file, *put.place.call.at), f"{made}({_given(put.place.call, text)})"
    return Direct(
        span, code, task, Span(file, *wait.at), Span(file, *put.place.call.at), made, *_priority(matcher, put.api, put.place, brokers)
    )


def _plainly(matcher: Matcher, put: _Put, text: Text, found: Waited, task: Scope) -> Direct:
    """What the task returns stands where it was waited for."""
    file, call = put.place.scope.file, put.place.call
    made = text.piece(put.task.at) + ("" if put.plain == "()" else f".{put.plain}")
    if put.rule is None or put.rule.callee == "self":
        code = text.piece(call.at, ((call.func.at, made),)) if put.rule is None or not put.rule.own else f"{made}({_passed(put, text)})"
    else:
        code = f"{made}({_passed(put, text)})"
    wait, whole = Span(file, *found.waits[0].expr.at), Span(file, *call.at)
    if not found.name:
        return Direct(wait, code, task, wait, whole, made)
    waits, loops = (tuple(Span(file, *n.at) for n in nodes) for nodes in ((w.expr for w in found.waits), found.loops))
    return Direct(whole, code, task, wait, whole, made, waited=waits, loops=loops, name=found.name)


def _catches_late(matcher: Matcher, put: _Put, found: Waited) -> bool:
    """Whether what the task raises is caught as before: no handler is around the wait, or only for what comes too late: nothing does."""
    body, frame = put.place.scope.function.body, matcher.program.generic(put.place.scope)
    handlers = {id(h): h for w in found.waits for s in flow.around(body, w.expr.at) if isinstance(s, ir.Try) for h in s.handlers}.values()
    types = [t for h in handlers for t in (h.type.items if isinstance(h.type, ir.Sequence) else (h.type,))]
    caught = [{a.path for a in matcher.evaluator.apis(t, frame)} for t in types]
    return all(paths and paths <= found.late for paths in caught)


def levels(direct: tuple[Direct, ...]) -> Levels | None:
    """The levels of the calls of one task; None where all come in turn, or some priority is only known when the program runs."""
    numbers = {d.priority: d.span for d in direct}
    orders = {d.least for d in direct} - {None}
    if len(numbers) < FEWEST or None in numbers or len(orders) != 1:
        return None
    ordered = sorted((n for n in numbers if n is not None), reverse=False in orders)
    return Levels(tuple((n, numbers[n]) for n in ordered), ordered.index(0) + 1 if 0 in ordered else len(ordered))


def level(direct: Direct, of: Levels | None) -> int | None:
    """The level of a call, 1 first; None where there are none."""
    return next((i for i, (number, _) in enumerate(of.told, 1) if number == direct.priority), None) if of is not None else None


def _priority(matcher: Matcher, api: Api, place: CallPlace, brokers: tuple[str, ...]) -> tuple[int | None, bool | None]:
    """What the queue is told, and whether the least number comes first."""
    option = matcher.rulebook.find(api.called, TaskOption)
    named = {o.partition("=")[0] for o in option.options if o.endswith("=priority")} if option is not None else set()
    if option is None or not option.urgent:
        return 0, None
    given = next((v for k, v in place.call.keywords if k in named), None)
    orders = [o.partition("=") for o in option.urgent]
    order = next((o for broker, _, o in orders if o and broker in brokers), next((o for o, _, rest in orders if not rest), "greatest"))
    if given is None:
        return 0, order == "least"
    found = matcher.constant(given, place)
    return found if isinstance(found, int) else None, order == "least"


def _given(call: ir.Call, text: Text) -> str:
    """The arguments as a tuple and a dict."""
    given = [text.piece(a.at) for a in call.args]
    named = [f'"{k}": {text.piece(v.at)}' if k is not None else f"**{text.piece(v.at)}" for k, v in call.keywords]
    return ", ".join([f"({', '.join(given)}{',' if len(given) == 1 else ''})", *(["{" + ", ".join(named) + "}"] if named else [])])


def _passed(put: _Put, text: Text) -> str:
    """The arguments that the queue hands on, without its own."""
    call, rule = put.place.call, put.rule
    assert rule is not None
    args, kwargs = (port(call, p) if p else None for p in (rule.args, rule.kwargs))
    if args is None and kwargs is None:
        given = [text.piece(a.at) for a in call.args[rule.first :]]
        return ", ".join((*given, *(_named(k, text.piece(v.at)) for k, v in call.keywords if k not in rule.own)))
    items = args.items if isinstance(args, ir.Sequence) else None
    listed = [text.piece(a.at) for a in items] if items is not None else [f"*{text.piece(args.at)}"] if args is not None else []
    named = _keywords(kwargs, text) if kwargs is not None else ()
    return ", ".join((*listed, *named))


def _keywords(kwargs: ir.Expr, text: Text) -> tuple[str, ...]:
    if isinstance(kwargs, ir.Mapping) and all(isinstance(k, ir.Constant) and str(k.value).isidentifier() for k in kwargs.keys):
        pairs = zip(kwargs.keys, kwargs.values, strict=True)
        return tuple(_named(str(k.value), text.piece(v.at)) for k, v in pairs if isinstance(k, ir.Constant))
    return (f"**{text.piece(kwargs.at)}",)


def _named(name: str | None, code: str) -> str:
    return f"{name}={code}" if name is not None else f"**{code}"
