"""Takes the program's calls, gives which of them put a model or its weights into an object that was made elsewhere."""

from __future__ import annotations

from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api, Instance, Site
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelLoad


class Loads:
    """Calls by the site of the object they fill, found once when first asked."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self._into: dict[Site, list[tuple[CallPlace, ModelLoad]]] | None = None
        self._configured: dict[Site, list[ir.Call]] | None = None

    def into(self, site: Site) -> tuple[tuple[CallPlace, ModelLoad], ...]:
        """The loads into an object: `booster.load_model(path)`, `saver.restore(session, path)`."""
        if self._into is None:
            self._into = {}
            for match in self.matcher.find(ModelLoad):
                for filled in self._filled(match):
                    self._into.setdefault(filled, []).append((match.place, match.rule))
        return tuple(self._into.get(site, ()))

    def configured(self, site: Site) -> tuple[ir.Call, ...]:
        """Calls that prepare the object: `net.load_state_dict(...)`."""
        if self._configured is None:
            self._configured = {}
            for match in self.matcher.find(ModelConfigure):
                if match.api.made is not None:
                    self._configured.setdefault(match.api.made, []).append(match.place.call)
        return tuple(self._configured.get(site, ()))

    def _filled(self, match: Match[ModelLoad]) -> set[Site]:
        if match.rule.into == "self":
            return {match.api.made} if match.api.made is not None else set()
        expr = port(match.place.call, match.rule.into) if match.rule.into else None
        values = self.matcher.evaluator.values(expr, self.matcher.program.generic(match.place.scope))
        sites = {v.made if isinstance(v, Api) else v.site for v in values if isinstance(v, (Api, Instance))}
        return {site for site in sites if site is not None}
