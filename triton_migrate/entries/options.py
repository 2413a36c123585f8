"""Takes the tasks, gives what their queue is told about each: retries, limits, delays, priorities, workflows, and where it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from triton_migrate.base import Span
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.records import Task
from triton_migrate.entries.tasks import conventional
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import TaskEnqueue, TaskOption

TIMES = ("delay", "expiry", "time-limit")


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """One thing that a queue is told. `kind`: see `TaskOption`; `name`: the option, or what is called; `value`: a constant it is set to,
    in seconds where it is a time."""

    span: Span
    kind: str
    name: str
    value: object = field(default=None, compare=False)


class Options:
    """Answers for one program; made once its tasks are known."""

    def __init__(self, matcher: Matcher, tasks: tuple[Task, ...], queues: Queues) -> None:
        self.matcher, self.program, self.queues = matcher, matcher.program, queues
        self._tasks = {t.handler.scope: t for t in tasks}
        self._own: dict[Scope, set[Told]] = {}
        self._common: dict[str, set[Told]] = {}  # what is said about every task of a queue
        for match in matcher.find(TaskOption):
            if not self.program.is_test(match.place.scope.file):
                self._note(match.rule.queue, set(self._said(match)), self._about(match))
        self._settings()
        self._parts()
        self._listed()

    def of(self, task: Task) -> tuple[Told, ...]:
        """In the order of the places."""
        return tuple(sorted(self._own.get(task.handler.scope, set()) | self._common.get(task.queue, set())))

    def _note(self, queue: str, said: set[Told], about: frozenset[Scope] | None) -> None:
        if about is None:
            self._common.setdefault(queue, set()).update(said)
        for scope in about or ():
            self._own.setdefault(scope, set()).update(said)

    def _said(self, match: Match[TaskOption]) -> Iterator[Told]:
        call, file = match.place.call, match.place.scope.file
        kinds = dict(option.split("=") for option in match.rule.options)
        for name, value in call.keywords:
            if name in kinds:
                known = self.matcher.constant(value, match.place)
                scaled = match.rule.milliseconds and kinds[name] in TIMES and isinstance(known, (int, float))
                yield Told(Span(file, *value.at), kinds[name], name, known / 1000 if scaled and isinstance(known, (int, float)) else known)
        if match.rule.kind:
            yield Told(Span(file, *call.at), match.rule.kind, match.api.path.rpartition(".")[2])

    def _about(self, match: Match[TaskOption]) -> frozenset[Scope] | None:
        """The tasks that a call is about; None: all of the queue."""
        place = match.place
        if isinstance(place.decorates, ir.Function):
            return frozenset({place.scope.children[id(place.decorates)]})
        scope: Scope | None = place.scope
        while scope is not None:
            if scope in self._tasks and match.rule.kind == "retries":
                return frozenset({scope})
            scope = scope.parent
        enqueue = self.matcher.rulebook.find(match.api.called, TaskEnqueue)
        if enqueue is None:
            return None
        return frozenset(self._enqueued(enqueue, Match(enqueue, match.api, place)))

    def _enqueued(self, rule: TaskEnqueue, match: Match[TaskEnqueue]) -> Iterator[Scope]:
        frame = self.program.generic(match.place.scope)
        yield from (f.scope for f, _ in self.queues.enqueued(rule, match.api, match.place.call, frame))

    def _settings(self) -> None:
        """`app.conf.task_acks_late = True`."""
        rules = [r for r in self.matcher.rulebook.of_role(TaskOption) if r.options]
        names = {option.split("=")[0] for rule in rules for option in rule.options}
        for file in self.program.files.values():
            for name in names & file.attribute_stores.keys():
                for store in file.attribute_stores[name]:
                    for api in self.matcher.evaluator.apis(store.target, self.program.generic(store.scope)):
                        rule = self.matcher.rulebook.find(api.path, TaskOption)
                        kind = dict(o.split("=") for o in rule.options).get(name) if rule is not None else None
                        if rule is not None and kind is not None:
                            self._note(rule.queue, {Told(Span(store.scope.file, *store.at), kind, name)}, None)

    def _listed(self) -> None:
        """`max_tries = 3` in the class by which workers know their tasks."""
        for rule, scope in conventional(self.matcher):
            known = [r for r in self.matcher.rulebook.of_role(TaskOption) if r.options and set(r.api) & set(rule.api)]
            kinds = dict(o.split("=") for r in known for o in r.options)
            for stmt in scope.definition.body:
                match stmt:
                    case ir.Assign(at, (ir.Name(_, name),), value) if name in kinds:
                        constant = self.matcher.evaluator.constant(value, self.program.generic(scope))
                        self._note(rule.queue, {Told(Span(scope.file, *at), kinds[name], name, constant)}, None)

    def _parts(self) -> None:
        """A task that is a part of a workflow is one by the call that makes the part (`task.s(x)`)."""
        for match in self.matcher.find(TaskEnqueue):
            if match.rule.partial and not self.program.is_test(match.place.scope.file):
                name = match.api.path.rpartition(".")[2]
                told = Told(Span(match.place.scope.file, *match.place.call.at), "workflow", name)
                self._note(match.rule.queue, {told}, frozenset(self._enqueued(match.rule, match)))
