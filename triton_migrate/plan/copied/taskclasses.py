"""Takes the object of a task's class (`@app.task(base=ModelTask)`), gives how pipeline.py makes it: the class without the queue.

A worker's library makes the object, calls it for every job and runs its hooks. On the model's side only what holds the model counts: the
class loses its base and what only the library calls, and what a hook (`__call__`, `before_start`) would load is loaded by load().
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.attributes import PROPERTIES
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Scope, Store
from triton_migrate.resolve.stores import is_self, method_of
from triton_migrate.resolve.values import Api, Instance, UserClass, Values
from triton_migrate.rulebook.vocabulary import TaskDefine, TaskEnqueue

if TYPE_CHECKING:
    from triton_migrate.plan.copied.objects import Objects


def is_task_class(evaluator: Evaluator, cls: UserClass) -> bool:
    """Whether a library's class of tasks is all that a class of the program inherits, and nothing that it keeps speaks of that."""
    bases = evaluator.mro(cls)[1:]
    if len(bases) != 1 or not isinstance(bases[0], Api) or bases[0].path not in _task_bases(evaluator):
        return False
    kept = [s for s in cls.scope.definition.body if not _only_called(evaluator, cls.scope, s)]
    named = {n.id for b in cls.scope.definition.bases for n in flow.names(b)}
    parts = [p for s in kept for e in flow.every(s) for p in walk(e)]
    parents = [p for p in parts if isinstance(p, ir.Attribute) and _is_super(p.value)]
    return all(p.attr == "__init__" for p in parents) and not any(isinstance(p, ir.Name) and p.id in named for p in parts)


def constructors(definition: ir.Class) -> tuple[tuple[ir.At, str], ...]:
    """`super().__init__(daemon=True)` of such a class without what only its base takes, as edits."""
    calls = (e for s in definition.body for e in flow.every(s) if isinstance(e, ir.Call) and isinstance(e.func, ir.Attribute))
    return tuple((c.at, "super().__init__()") for c in calls if isinstance(c.func, ir.Attribute) and _is_super(c.func.value))


def called_by_library(evaluator: Evaluator, cls: UserClass) -> Iterator[ir.Function]:
    """Methods of such a class that only the library calls: its hooks, and the job itself."""
    yield from (s.function for s in cls.scope.definition.body if isinstance(s, ir.Define) and _only_called(evaluator, cls.scope, s))


def _only_called(evaluator: Evaluator, owner: Scope, stmt: ir.Stmt) -> bool:
    if not isinstance(stmt, ir.Define) or stmt.function.name == "__init__":
        return False
    frame = evaluator.program.generic(owner)
    return not evaluator.decorated(stmt.function, frame, *PROPERTIES) and not evaluator.program.calls(stmt.function.name)


def _task_bases(evaluator: Evaluator) -> frozenset[str]:
    """The classes whose objects put work on a queue by methods of their own."""
    rules = (r for r in evaluator.rulebook.of_role(TaskEnqueue) if r.callee == "self")
    return frozenset(api.partition("()")[0] for r in rules for api in r.api if "()." in api)


def _is_super(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Call) and isinstance(expr.func, ir.Name) and expr.func.id == "super"


class TaskClasses:
    """The objects of one pipeline.py that were made by a queue's decorator, or by hand of a task's class."""

    def __init__(self, objects: Objects) -> None:
        self.objects, self.evaluator = objects, objects.closure.evaluator

    def provide(self, values: Values, where: Span) -> str | None:
        """The global that holds such an object; None where the values are none."""
        classes = {v.of for v in values if isinstance(v, Instance)}
        sites = {v.site for v in values if isinstance(v, Instance)}
        if len(classes) != 1 or len(sites) != 1 or not all(isinstance(v, Instance) for v in values):
            return None
        cls, place = classes.pop(), self.evaluator.program.call_at(sites.pop())
        decorated = place is not None and place.decorates is not None and self._defines(place)
        if place is None or not (decorated or is_task_class(self.evaluator, cls)):
            return None
        owner = cls.scope
        known = (owner, place.call.at)
        if (made := self.objects.provided(known)) is not None:
            return made
        name = self.objects.closure.require(owner.file, owner.name, where)
        made = self.objects.bound(known, _snake(owner.name), f"{name}()\n")
        for attribute, value in self._options(place, cls) if decorated else ():
            self._set(made, attribute, value, place.scope, where)
        for attribute, store in self._hooked(cls):
            self._stored(made, attribute, store, where)
        return made

    def _defines(self, place: CallPlace) -> bool:
        frame = self.evaluator.program.generic(place.scope)
        return any(self.evaluator.rulebook.find(a.called, TaskDefine) for a in self.evaluator.apis(place.call.func, frame))

    def _options(self, place: CallPlace, cls: UserClass) -> Iterator[tuple[str, ir.Expr]]:
        """Options of the decorator that the class's own code reads as attributes: `@app.task(base=ModelTask, path="m.pkl")`."""
        read = {p.attr for s in cls.scope.definition.body for e in flow.every(s) for p in walk(e) if isinstance(p, ir.Attribute)}
        yield from ((k, v) for k, v in place.call.keywords if k is not None and k in read)

    def _hooked(self, cls: UserClass) -> Iterator[tuple[str, Store]]:
        """What methods that only the library calls put into attributes of the object."""
        for base in (b for b in self.evaluator.mro(cls) if isinstance(b, UserClass)):
            dropped = {f.at for f in called_by_library(self.evaluator, base)}
            for attribute, stores in self.evaluator.program.files[base.scope.file].attribute_stores.items():
                for store in stores:
                    method = method_of(store.scope)
                    if method is not None and method.owner is base.scope and is_self(store, method) and method.function.at in dropped:
                        if any(isinstance(e, ir.Call) for e in walk(store.value)):
                            yield attribute, store

    def _set(self, made: str, attribute: str, value: ir.Expr, scope: Scope, where: Span) -> None:
        self.objects.closure.load.append(f"{made}.{attribute} = {self.objects.piece(value, scope, set(), where)}\n")

    def _stored(self, made: str, attribute: str, store: Store, where: Span) -> None:
        """`self.model = load(self.path)` of a hook, with the statements that it needs, about the object itself."""
        method = method_of(store.scope)
        assert method is not None
        own = method.function.parameters[0].name
        renamed = ((own, made),)
        local = self.objects.prepared(store, renamed)
        text = self.objects.piece(store.value, store.scope, local, Span(store.scope.file, *store.at), renamed)
        self.objects.closure.load.append(f"{made}.{attribute} = {text}\n")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_") or "task"
