"""Takes a node that an annotation says (`def add(app: FastAPI, router: APIRouter)`), gives those that callers pass for the parameter."""

from __future__ import annotations

from triton_migrate.entries.nodes import Node, Nodes
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Site

DEEPEST = 3  # functions that hand it on


class Handed:
    """Answers what stands behind such nodes; none where no caller says it."""

    def __init__(self, matcher: Matcher, nodes: Nodes) -> None:
        self.matcher, self.program, self.nodes = matcher, matcher.program, nodes
        self._known: dict[Node, tuple[Node, ...]] = {}

    def behind(self, node: Node, depth: int = 0) -> tuple[Node, ...]:
        if node not in self._known:
            found = self._passed(node) if node.site is not None and self.program.call_at(node.site) is None else ()
            further = (inner for n in found for inner in ((self.behind(n, depth + 1) or (n,)) if depth < DEEPEST else (n,)))
            self._known[node] = tuple(dict.fromkeys(n for n in further if n != node))
        return self._known[node]

    def _passed(self, node: Node) -> tuple[Node, ...]:
        asked = self._parameter(node.site) if node.site is not None else None
        if asked is None:
            return ()
        scope, name = asked
        found: list[Node] = []
        for place in self.program.in_use(self.program.calls(scope.name), scope.file):
            frame = self.program.generic(place.scope)
            values = self.matcher.evaluator.values(place.call.func, frame) if place.decorates is None else ()
            for function in (f for v in values for f in self.matcher.evaluator.callables(v) if f.scope is scope):
                given = argument_map(scope.function.parameters[1 if function.receiver is not None else 0 :], place.call)
                found += self.nodes.within(given.get(name), frame)
        return tuple(dict.fromkeys(found))

    def _parameter(self, site: Site) -> tuple[Scope, str] | None:
        """The function and its parameter in whose annotation the place is."""
        file = self.program.files.get(site.file)
        for scope in file.scopes if file is not None else ():
            if scope.kind == "function" and ir.holds(scope.function.at, site.at):
                for parameter in scope.function.parameters:
                    if parameter.annotation is not None and ir.holds(parameter.annotation.at, site.at):
                        return scope, parameter.name
        return None
