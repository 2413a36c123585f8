"""Takes the tasks, gives which of them a call puts on a queue, and that call as if it were made directly: the link from route to task."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.entries.records import Entry, Task
from triton_migrate.entries.tasks import callees
from triton_migrate.entries.workers import Workers
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.channels import Channel
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Container, Literal, UserFunction
from triton_migrate.rulebook.vocabulary import TaskEnqueue


class Queues:
    """Answers for one program; made once its tasks and routes (`entries`) are known."""

    def __init__(self, matcher: Matcher, tasks: tuple[Task, ...], entries: tuple[Entry, ...] = ()) -> None:
        self.matcher, self.evaluator = matcher, matcher.evaluator
        self._by_scope: dict[Scope, Task] = {t.handler.scope: t for t in tasks}
        self._by_name = {t.name: t.handler for t in tasks}
        self._direct: dict[int, ir.Call] = {}
        self._workers = Workers(matcher, frozenset(e.handler.scope for e in entries))

    def workers(self, channel: Channel) -> tuple[UserFunction, ...]:
        """The functions whose loops get what is put onto the channel."""
        return self._workers.of(channel)

    def called(self, function: UserFunction) -> str:
        """The queue that a plain call of the function puts it on; none for most."""
        task = self._by_scope.get(function.scope)
        return task.queue if task is not None and task.called else ""

    def enqueued(self, rule: TaskEnqueue, api: Api, call: ir.Call, frame: Frame) -> Iterator[tuple[UserFunction, ir.Call]]:
        """The functions that a worker will run because of `call`."""
        functions = (*self._named(rule, call, frame),) or (*callees(self.matcher, rule, api, call, frame),)
        for function in dict.fromkeys(functions):
            task = self._by_scope.get(function.scope)
            yield (task.handler if task is not None else function), self._as_direct(rule, call, frame)

    def _named(self, rule: TaskEnqueue, call: ir.Call, frame: Frame) -> Iterator[UserFunction]:
        """Tasks by the names under which they are registered."""
        for value in self.evaluator.values(_looked_up(call) if rule.callee == "self[]" else port(call, rule.callee), frame):
            if isinstance(value, Literal) and isinstance(value.value, str):
                name = value.value
                same = [h for n, h in self._by_name.items() if n.endswith(f".{name}") or name.endswith(f".{n}")]
                yield from (self._by_name[name],) if name in self._by_name else same[:1]

    def _as_direct(self, rule: TaskEnqueue, call: ir.Call, frame: Frame) -> ir.Call:
        """`f.delay(x)`, `Thread(target=f, args=(x,))` as the call `f(x)` that the worker makes."""
        if id(call) not in self._direct:
            args: tuple[ir.Expr, ...] = call.args[rule.first :] if rule.first >= 0 else ()
            keywords = tuple((k, v) for k, v in call.keywords if k != rule.callee.partition("|")[0]) if rule.first >= 0 else ()
            given = self._displayed(port(call, rule.args), frame) if rule.args else None
            named = self._displayed(port(call, rule.kwargs), frame) if rule.kwargs else None
            if isinstance(given, ir.Sequence):
                args = given.items
            if isinstance(named, ir.Mapping):
                pairs = zip(named.keys, named.values, strict=True)
                keywords = tuple((k.value, v) for k, v in pairs if isinstance(k, ir.Constant) and isinstance(k.value, str))
            made = ir.Call(call.at, call.func, args, keywords)
            self.evaluator.kept(made)
            self._direct[id(call)] = made
        return self._direct[id(call)]

    def _displayed(self, expr: ir.Expr | None, frame: Frame) -> ir.Expr | None:
        """The list or dict that is written out where `expr` comes from, when that is this very function."""
        if expr is None or isinstance(expr, (ir.Sequence, ir.Mapping)):
            return expr
        shown = [v.expr for v in self.evaluator.values(expr, frame) if isinstance(v, Container) and v.frame.scope is frame.scope]
        return shown[0] if len(shown) == 1 else None


def _looked_up(call: ir.Call) -> ir.Expr | None:
    """The key in `tasks[key].delay(x)`."""
    return call.func.value.key if isinstance(call.func, ir.Attribute) and isinstance(call.func.value, ir.Subscript) else None
