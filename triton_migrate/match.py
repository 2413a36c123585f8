"""Takes the evaluator, gives the `Match`es of a role: which calls and decorators of the program play it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, FileScopes, Scope, last_name
from triton_migrate.resolve.values import Api, Site, UserClass
from triton_migrate.rulebook.vocabulary import Rule

__all__ = ["Match", "Matcher", "last_of"]

R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, slots=True)
class Match(Generic[R]):
    """One call that plays a role. `api` is how it was recognised; its site is where the receiver was made."""

    rule: R
    api: Api
    place: CallPlace

    @property
    def receiver(self) -> Api:
        """The object whose method was called."""
        return Api(self.api.path.rpartition(".")[0], self.api.site, self.api.of)

    @property
    def site(self) -> Site:
        """Where what the call gives is made."""
        return Site(self.place.scope.file, self.place.call.at)


class Matcher:
    """Finds matches by role; one per scan."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.program, self.rulebook = evaluator, evaluator.program, evaluator.rulebook
        self._names: dict[type[Rule], frozenset[str]] = {}
        self._renamed = {path: tuple(_renamed(file.module)) for path, file in self.program.files.items()}
        aliases = (pair for library in self.rulebook.libraries for pair in library.alias if not pair[0].endswith((")", "]")))
        self._aliases = tuple(pair for alias, path in aliases if (pair := (last_of(alias), last_of(path)))[0] != pair[1])

    def find(self, role: type[R], *, inherited: bool = False) -> Iterator[Match[R]]:
        """All calls whose callee has a rule of this role, in file order; `inherited`: also constructions of user classes under it."""
        names = self.names(role)
        for file, called in self._calling(names):
            for name in sorted(called):
                for place in file.calls[name]:
                    yield from self.at(place, role)
        for place in self._by_name:
            yield from self.at(place, role)
        if inherited:
            for scope in self._below(names):
                for place in self.program.calls(scope.name):
                    yield from self._constructed(place, scope, role)

    @cached_property
    def _by_name(self) -> tuple[CallPlace, ...]:
        """The calls of what `getattr` gave: `getattr(router, verb)("/x")`, also under a local name, there or in a function inside."""
        found = []
        for place in self.program.calls("getattr"):
            if isinstance(place.call.func, ir.Call):
                found.append(place)
            for name, bindings in place.scope.bindings.items() if place.scope.kind == "function" else ():
                if any(b.expr is place.call for b in bindings):
                    found += [p for p in self.program.calls(name) if place.scope in (p.scope, p.scope.parent)]
        return tuple(found)

    def names(self, role: type[R]) -> frozenset[str]:
        """What calls that play the role are called in the source."""
        if role not in self._names:
            self._names[role] = self._spoken(path for rule in self.rulebook.of_role(role) for path in rule.api)
        return self._names[role]

    def calls_any(self, paths: Iterable[str]) -> bool:
        """Whether the program calls anything that may be one of these paths."""
        return next(self._calling(self._spoken(paths)), None) is not None

    def _spoken(self, paths: Iterable[str]) -> frozenset[str]:
        """The last names of paths, and those of their aliases."""
        names = {last_of(path) for path in paths}
        while more := {alias for alias, name in self._aliases if name in names} - names:
            names |= more
        return frozenset(names)

    def _calling(self, names: frozenset[str]) -> Iterator[tuple[FileScopes, AbstractSet[str]]]:
        """The files that call something of these names, and under which names they do."""
        for path, file in self.program.files.items():
            renamed = {name for name, original in self._renamed[path] if original in names}
            if called := (names | renamed) & file.calls.keys():
                yield file, called

    def at(self, place: CallPlace, role: type[R]) -> Iterator[Match[R]]:
        """The matches of one call."""
        frame = self.program.generic(place.scope)
        for api in self.evaluator.apis(place.call.func, frame):
            if rule := self.rulebook.find(api.called, role):
                yield Match(rule, api, place)

    def _below(self, names: frozenset[str]) -> Iterator[Scope]:
        """Classes of the program that name one of `names`, or a class that does, among their bases."""
        seen: set[Scope] = set()
        waiting = sorted(names)
        while waiting:
            for scope in self.program.subclasses(waiting.pop()):
                if scope not in seen:
                    seen.add(scope)
                    waiting.append(scope.name)
                    yield scope

    def _constructed(self, place: CallPlace, scope: Scope, role: type[R]) -> Iterator[Match[R]]:
        for value in self.evaluator.values(place.call.func, self.program.generic(place.scope)):
            if isinstance(value, UserClass) and value.scope is scope:
                for base in self.evaluator.mro(value):
                    if isinstance(base, Api) and (rule := self.rulebook.find(base.path, role)):
                        yield Match(rule, base, place)

    def constant(self, expr: ir.Expr | None, place: CallPlace) -> object:
        return self.evaluator.constant(expr, self.program.generic(place.scope))


def _renamed(module: Scope) -> Iterator[tuple[str, str]]:
    """Names of a module with the other names they stand for: `import Route as R`, `route = app.route`."""
    for name, bindings in module.bindings.items():
        for binding in bindings:
            imported = binding.imported[1] if binding.how == "from" else ""
            assigned = last_name(binding.expr) if binding.how == "value" and isinstance(binding.expr, (ir.Name, ir.Attribute)) else ""
            original = imported or assigned
            if original and original != name:
                yield name, original


def last_of(path: str) -> str:
    """The last name of an access path: what a call of it is called in the source."""
    return path.rstrip("()[]").rpartition(".")[2]
