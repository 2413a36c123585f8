"""Takes the tasks, gives which of them a call puts on a queue, and that call as if it were made directly: the link from route to task."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.entries.records import Task
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Container, Literal, UserFunction, Value
from triton_migrate.rulebook.vocabulary import TaskEnqueue


class Queues:
    """Answers for one program; made once its tasks are known."""

    def __init__(self, matcher: Matcher, tasks: tuple[Task, ...]) -> None:
        self.evaluator, self.program = matcher.evaluator, matcher.program
        self._by_scope: dict[Scope, UserFunction] = {t.handler.scope: t.handler for t in tasks}
        self._by_name = {t.name: t.handler for t in tasks}
        self._direct: dict[int, ir.Call] = {}

    def enqueued(self, rule: TaskEnqueue, api: Api, call: ir.Call, frame: Frame) -> Iterator[tuple[UserFunction, ir.Call]]:
        """The functions that a worker will run because of `call`."""
        if rule.callee == "self":
            functions = [api.of] if isinstance(api.of, UserFunction) else []
        else:
            functions = [f for v in self.evaluator.values(port(call, rule.callee), frame) for f in self._functions(v, frame)]
        for function in functions:
            yield self._by_scope.get(function.scope, function), self._as_direct(rule, call, frame)

    def _functions(self, value: Value, frame: Frame) -> tuple[UserFunction, ...]:
        if not isinstance(value, Literal) or not isinstance(value.value, str):
            return self.evaluator.callables(value)
        named = self._by_name.get(value.value) or next((h for n, h in self._by_name.items() if n.endswith(f".{value.value}")), None)
        if named is not None:
            return (named,)
        module, _, name = value.value.rpartition(".")
        path = self.program.module_path(frame.scope.file, module) if module else None
        members = self.evaluator.member(path, name) if path else frozenset()
        return tuple(v for v in members if isinstance(v, UserFunction))

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
