"""Takes the evaluator, gives the `Match`es of a role: which calls and decorators of the program play it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from triton_migrate.index import ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api, Site
from triton_migrate.rulebook.vocabulary import Rule

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


class Matcher:
    """Finds matches by role; one per scan."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.program, self.rulebook = evaluator, evaluator.program, evaluator.rulebook
        self._by_site: dict[Site, CallPlace] | None = None

    def find(self, role: type[R]) -> Iterator[Match[R]]:
        """All calls whose callee has a rule of this role, in file order."""
        names = {n for lib in self.rulebook.libraries for rule in lib.rules if isinstance(rule, role) for n in map(_name, rule.api)}
        for file in self.program.files.values():
            for name in sorted(names & file.calls.keys()):
                for place in file.calls[name]:
                    yield from self.at(place, role)

    def at(self, place: CallPlace, role: type[R]) -> Iterator[Match[R]]:
        """The matches of one call."""
        frame = self.program.generic(place.scope)
        for api in self.evaluator.apis(place.call.func, frame):
            if rule := self.rulebook.find(api.called, role):
                yield Match(rule, api, place)

    def made_by(self, site: Site | None) -> CallPlace | None:
        """The call that made the object at `site`."""
        if self._by_site is None:
            places = (p for f in self.program.files.values() for calls in f.calls.values() for p in calls)
            self._by_site = {Site(p.scope.file, p.call.at): p for p in places}
        return None if site is None else self._by_site.get(site)

    def constant(self, expr: ir.Expr | None, place: CallPlace) -> object:
        return self.evaluator.constant(expr, self.program.generic(place.scope))


def _name(path: str) -> str:
    """The last name of an access path: what a call of it is called in the source."""
    return path.rstrip("()[]").rpartition(".")[2]
