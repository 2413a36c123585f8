"""Takes a program, gives what of it a running application gets to: not what a person starts by hand, and not what nothing names.

Both are told by names alone, before anything is evaluated: a function is reached when code that is reached mentions its name, or when
something outside calls it (a decorator, a special method, a library's base class). Too much counts as reached, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from triton_migrate.index import flow, ir
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.scopes import CallPlace, Scope, last_name

PLAIN = frozenset({"object", "ABC", "Protocol", "Generic"})  # bases that call nothing


class Reach:
    """Answers for one program. `makers` are the names of calls that make an application, `tasks` those of decorators of tasks.

    `queues` are the import roots of what makes tasks: other libraries name decorators `task`, too (Prefect, Airflow, Invoke).
    """

    def __init__(self, program: Program, makers: frozenset[str], tasks: frozenset[str], queues: frozenset[str]) -> None:
        self.program, self._makers, self._tasks, self._queues = program, makers, tasks, queues

    @cached_property
    def started(self) -> frozenset[str]:
        """The files that make an application or lead to one; none where there is no application."""
        return frozenset(path for path in self.program.files if self.making and self.program.imported_by(path) & self.making)

    @cached_property
    def making(self) -> frozenset[str]:
        """The files that make an application, or a task of a queue."""
        return frozenset(path for path in self.program.files if not self.program.is_test(path) and self._makes(path))

    def by_hand(self, scope: Scope, at: ir.At) -> bool:
        """Whether a place of a module is in the main part of a script beside the application."""
        return bool(self.started) and scope.file not in self.started and self._in_main(scope, at)

    def reaches(self, scope: Scope) -> bool:
        """Whether the application, where there is one, may run the function."""
        return not self.started or scope in self._reached

    def runs(self, scope: Scope, at: ir.At) -> bool:
        """Whether the application, where there is one, may run a statement at this place."""
        if not self.started or scope.kind == "function":
            return self.reaches(scope)
        return scope.file in self._served and not self.by_hand(scope, at)

    def _makes(self, path: str) -> bool:
        calls = self.program.files[path].calls
        return not self._makers.isdisjoint(calls) or any(
            p.decorates is not None and not self._foreign(p) for name in self._tasks & calls.keys() for p in calls[name]
        )

    def _foreign(self, place: CallPlace) -> bool:
        """Whether a decorator was imported by its name from a library without queues."""
        func = place.call.func
        bound = self.program.frames[place.scope.file].scope.bindings.get(func.id, ()) if isinstance(func, ir.Name) else ()
        origins = [b.imported[0] for b in bound if b.how == "from"]
        return bool(origins) and all(
            not s.level and s.module.partition(".")[0] not in self._queues and self.program.module_path(place.scope.file, s.module) is None
            for s in origins
        )

    def _in_main(self, scope: Scope, at: ir.At) -> bool:
        return scope.parent is None and any(flow.is_main(s) and ir.holds(s.at, at) for s in scope.body)

    @cached_property
    def _served(self) -> frozenset[str]:
        return frozenset().union(*(self.program.imported_by(path) for path in self.started if not self.program.is_test(path)))

    @cached_property
    def _reached(self) -> frozenset[Scope]:
        waiting: dict[str, list[Scope]] = {}
        named: set[str] = set()
        fresh: list[str] = []
        found: set[Scope] = set()

        def mention(body: Iterable[ir.Stmt]) -> None:
            new = set(_names(body)) - named
            fresh.extend(new)
            named.update(new)

        def enter(scope: Scope) -> None:
            found.add(scope)
            mention(flow.flatten(scope.body))

        for path in sorted(self._served):
            for scope in self.program.files[path].scopes:
                if scope.kind == "module":
                    mention(s for s in _outside_main(scope.body, path in self.started))
                elif scope.kind == "class":
                    mention(flow.flatten(scope.definition.body))
                elif self._called_from_outside(scope):
                    enter(scope)
                else:
                    waiting.setdefault(scope.name, []).append(scope)
        while fresh:
            for scope in waiting.pop(fresh.pop(), ()):
                enter(scope)
        return frozenset(found)

    def _called_from_outside(self, scope: Scope) -> bool:
        """Decorated, special, a lambda, or a method of a class with a base that is none of the program's own."""
        if scope.function.decorators or scope.name.startswith(("__", "<")):
            return True
        bases = scope.owner.definition.bases if scope.owner is not None else ()
        return any(last_name(base) not in self._classes for base in bases if last_name(base) not in PLAIN)

    @cached_property
    def _classes(self) -> frozenset[str]:
        """The names of classes of the program without a base of a library's."""
        classes = (s for f in self.program.files.values() for s in f.scopes if s.kind == "class")
        own = {s.name: {last_name(b) for b in s.definition.bases} - PLAIN for s in classes}
        while foreign := {name for name, bases in own.items() if not bases <= own.keys()}:
            own = {n: bases for n, bases in own.items() if n not in foreign}
        return frozenset(own)


def _outside_main(body: ir.Block, with_main: bool) -> Iterator[ir.Stmt]:
    return (inner for stmt in body if with_main or not flow.is_main(stmt) for inner in flow.flatten((stmt,)))


def _names(body: Iterable[ir.Stmt]) -> Iterator[str]:
    """The names, attributes and texts that statements mention, those around functions defined there among them."""
    for stmt in body:
        if isinstance(stmt, ir.Define):
            exprs: Iterable[ir.Expr] = (*stmt.function.decorators, *(p.default for p in stmt.function.parameters if p.default is not None))
        elif isinstance(stmt, ir.DefineClass):
            exprs = (*stmt.definition.decorators, *stmt.definition.bases, *(v for _, v in stmt.definition.keywords))
        else:
            exprs = flow.expressions(stmt)
        for part in (p for expr in exprs for p in flow.walk(expr)):
            match part:
                case ir.Name(_, name) | ir.Attribute(_, _, name):
                    yield name
                case ir.Constant(_, str() as text):  # `getattr(x, "name")`, `enqueue("module.name")`
                    yield text.rpartition(".")[2]
