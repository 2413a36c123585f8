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
from triton_migrate.resolve.values import Api, Literal, UserFunction
from triton_migrate.rulebook.vocabulary import TaskEnqueue


class Queues:
    """Answers for one program; made once its tasks and routes (`entries`) are known."""

    def __init__(self, matcher: Matcher, tasks: tuple[Task, ...], entries: tuple[Entry, ...] = ()) -> None:
        self.matcher, self.evaluator = matcher, matcher.evaluator
        self._by_scope: dict[Scope, Task] = {t.handler.scope: t for t in tasks}
        self._by_name = {t.name: t.handler for t in tasks}
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
            yield (task.handler if task is not None else function), self.evaluator.handing.direct(rule, call, frame)

    def _named(self, rule: TaskEnqueue, call: ir.Call, frame: Frame) -> Iterator[UserFunction]:
        """Tasks by the names under which they are registered."""
        for value in self.evaluator.values(_looked_up(call) if rule.callee == "self[]" else port(call, rule.callee), frame):
            if isinstance(value, Literal) and isinstance(value.value, str):
                name = value.value
                same = [h for n, h in self._by_name.items() if n.endswith(f".{name}") or name.endswith(f".{n}")]
                yield from (self._by_name[name],) if name in self._by_name else same[:1]


def _looked_up(call: ir.Call) -> ir.Expr | None:
    """The key in `tasks[key].delay(x)`."""
    return call.func.value.key if isinstance(call.func, ir.Attribute) and isinstance(call.func.value, ir.Subscript) else None
