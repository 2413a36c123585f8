"""Takes expressions that hold routes, gives the `Node`s in them: everything that carries routes, whichever way a framework has it written.

An application, a router, a namespace, a `Mount(...)`, a single `Route(...)`, a plain tuple of a path and a handler, a decorated function or
class, and a module whose list of routes is served by convention are all nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.entries.texts import texts
from triton_migrate.index import ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Module, Site, Tuples, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebApp, WebRoute, WebRouter

NESTED = 4  # lists in lists of routes
FUNCTION, CLASS = "function", "class"  # paths of the nodes that are the program's own
WHOLE: ir.At = (0, 0, 0, 0)  # the place of a module's list


@dataclass(frozen=True, slots=True)
class Node:
    """An object that routes are put on, by the library class it is of and where it was made."""

    path: str
    site: Site | None


class Nodes:
    """Finds nodes; `tuples` are the routes that plain tuples stand for, as they turn up."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.tuples: dict[Node, Match[WebRoute]] = {}
        self.lists: dict[str, Node] = {}
        self.roots: set[Node] = set()
        apps = [r for r in self.rulebook.of_role(WebApp) if r.lists]
        for app in apps:
            self._conventional(app)

    # ------------------------------------------------------------ one value

    def node(self, value: Value) -> Node | None:
        """What a value is as something that carries routes."""
        match value:
            case Instance(cls, site):
                for base in self.evaluator.mro(cls):
                    if isinstance(base, Api) and (self.rulebook.find(base.path, WebApp) or self.rulebook.find(base.path, WebRouter)):
                        return Node(self.rulebook.canonical(f"{base.path}()"), site)
                return Node(CLASS, Site(cls.scope.file, cls.scope.definition.at))
            case Api(path) if path.endswith("()"):
                return Node(path, value.made)
            case UserFunction(scope):
                return Node(FUNCTION, Site(scope.file, scope.function.at))
            case UserClass(scope):
                return Node(CLASS, Site(scope.file, scope.definition.at))
            case Module(path):
                return self.lists.get(path)
        return None

    def result(self, match: Match[WebApp] | Match[WebRouter]) -> Node:
        """What a call gives, or the class that a decorator makes an application of."""
        decorated = match.place.decorates
        if isinstance(decorated, ir.Class):
            return Node(CLASS, Site(match.place.scope.file, decorated.at))
        return Node(self.rulebook.canonical(f"{match.api.path}()"), match.site)

    # ------------------------------------------------------------ lists

    def within(self, expr: ir.Expr | None, frame: Frame, tuples: str = "", depth: int = 0) -> Iterator[Node]:
        """The nodes an expression is, or that are in the lists it is. `tuples`: what a plain tuple stands for."""
        if expr is None or depth > NESTED:
            return
        if isinstance(expr, ir.Operation) and expr.operands:
            for part in expr.operands:
                yield from self.within(part, frame, tuples, depth + 1)
        if isinstance(expr, ir.Starred):
            expr = expr.value
        for value in self.evaluator.values(expr, frame):
            yield from self._inside(value, frame, tuples, depth)

    def listed(self, name: str, file: str, tuples: str = "") -> Iterator[Node]:
        """The nodes in the list that a module has under `name`."""
        frame = self.matcher.program.frames[file]
        for binding in frame.scope.bindings.get(name, ()):
            if binding.how == "value":
                yield from self.within(binding.expr, frame, tuples)

    def _inside(self, value: Value, frame: Frame, tuples: str, depth: int) -> Iterator[Node]:
        if isinstance(value, Container) and depth <= NESTED:
            if tuples and (route := self._tuple(value, tuples)) is not None:
                yield route
                return
            for inner in self.evaluator.element(value, None):
                yield from self._inside(inner, frame, tuples, depth + 1)
            for place in (*self.matcher.program.calls("append"), *self.matcher.program.calls("extend")):
                grown = place.call.func.value if isinstance(place.call.func, ir.Attribute) else None
                outer = self.matcher.program.generic(place.scope)
                if place.call.args and value in self.evaluator.values(grown, outer):
                    yield from self.within(place.call.args[0], outer, tuples, depth + 1)
        elif isinstance(value, Tuples):
            for part in value.parts:
                for inner in part:
                    yield from self._inside(inner, frame, tuples, depth + 1)
        elif isinstance(value, Literal) and isinstance(value.value, str) and self.lists:
            module = self.matcher.program.module_path(frame.scope.file, value.value)
            if module in self.lists:
                yield self.lists[module]
        elif (node := self.node(value)) is not None:
            yield node

    def _tuple(self, value: Container, path: str) -> Node | None:
        """`(r"/x", Handler)` as the call it stands for."""
        expr, scope = value.expr, value.frame.scope
        rule = self.rulebook.find(path, WebRoute)
        if rule is None or not isinstance(expr, ir.Sequence) or expr.kind != "tuple" or len(expr.items) < 2:
            return None
        if not texts(self.evaluator, expr.items[0], value.frame):
            return None
        if any(isinstance(v, Container) for v in self.evaluator.values(expr.items[1], value.frame)):
            return None  # routes of its own, whose paths are whole
        node = Node(self.rulebook.canonical(f"{path}()"), Site(scope.file, expr.at))
        if node not in self.tuples:
            call = ir.Call(expr.at, expr.items[0], expr.items, ())
            self.evaluator.kept(call)
            self.tuples[node] = Match(rule, Api(path, node.site), CallPlace(call, scope, None))
        return node

    # ------------------------------------------------------------ lists by convention

    def alone(self, file: str) -> bool:
        """Whether a module has its handlers itself and no other imports it: it is started, not taken in."""
        program = self.matcher.program
        own = any(s.kind != "module" and s.parent is program.files[file].module for s in program.files[file].scopes)
        return own and not any(file in program.imports(other) for other in program.files)

    def _conventional(self, app: WebApp) -> None:
        for file, frame in self.matcher.program.frames.items():
            if app.lists in frame.scope.bindings:
                self.lists[file] = Node(self.rulebook.canonical(f"{app.api[0]}()"), Site(file, WHOLE))
        for file, frame in self.matcher.program.frames.items():
            for binding in frame.scope.bindings.get(app.root, ()) if app.root else ():
                named = self.evaluator.constant(binding.expr, frame)
                module = self.matcher.program.module_path(file, named) if isinstance(named, str) else None
                self.roots |= {self.lists[module]} if module in self.lists else set()
