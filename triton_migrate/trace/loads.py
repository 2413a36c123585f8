"""Takes the program's calls, gives which of them put a model or its weights into an object that was made elsewhere.

`booster.load_model(path)`, `saver.restore(session, path)`, `net.load_weights(path)`, `net.load_state_dict(torch.load(path))`: the object's
construction says what it is, these say where its model comes from, so they are the load sites that a person would name. A graph of
TensorFlow 1 gets its model by the context it is the default in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.index import ir
from triton_migrate.index.flow import around, flatten, walk
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, Site
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelConstruct, ModelLoad

DEEPEST = 4  # helpers around a load


@dataclass(frozen=True, slots=True)
class Filling:
    """One load into an object. `rule` is None where only weights are read: what they are weights of is known elsewhere."""

    place: CallPlace
    rule: ModelLoad | None
    artifact: str | None
    reads: bool  # the call itself is known to read a file; `load_state_dict(renamed)` may only hand on what another read


class Loads:
    """Loads by the site of the object they fill, found once when first asked."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.evaluator, self.program = matcher, matcher.evaluator, matcher.program
        self._into: dict[Site, list[Filling]] | None = None
        self._default: dict[str, list[Filling]] = {}  # those in no context, by the method that would open one
        self._within: dict[Scope, list[CallPlace]] | None = None

    def into(self, site: Site) -> tuple[Filling, ...]:
        """The loads into an object, in file order."""
        if self._into is None:
            self._into = {}
            for load in self.matcher.find(ModelLoad):
                receiver = _receiver(load.place.call) if load.rule.into == "self" else port(load.place.call, load.rule.into)
                if load.rule.within and (receiver := _context(load.place, load.rule.within)) is None:
                    self._default.setdefault(load.rule.within, []).append(Filling(load.place, load.rule, None, True))
                elif (load.rule.into or load.rule.within) and receiver is not None:
                    self._reads_into(load.place, receiver, load.rule.artifact, load.rule)
            for weights in self.matcher.find(ModelConfigure):
                if weights.rule.artifact and (receiver := _receiver(weights.place.call)) is not None:
                    self._weights(weights, receiver)
        known = self._into.get(site, [])
        return tuple(f for f in known if f.reads) or tuple(known)

    def behind(self, place: CallPlace, rule: ModelConstruct) -> tuple[Filling, ...]:
        """The loads into what a construction runs: into what it is given or what is the default there, else into what is so everywhere."""
        if not rule.within:
            return ()
        expr = port(place.call, rule.runs) or _context(place, rule.within)
        values = self.evaluator.values(expr, self.program.generic(place.scope)) if expr is not None else ()
        made = dict.fromkeys(v.made for v in values if isinstance(v, Api) and v.made is not None)
        found = tuple(f for site in made for f in self.into(site))
        return found or tuple(self._default.get(rule.within, ()))

    def optional(self, filling: Filling, made: CallPlace) -> bool:
        """Whether the load only happens under a condition, into an object whose own load names what it reads."""
        if filling.rule is not None or filling.place.scope is not made.scope:
            return False
        branches = (s for s in flatten(made.scope.body) if isinstance(s, ir.If))
        guarded = any(ir.holds(s.at, filling.place.call.at) and not ir.holds(s.at, made.call.at) for s in branches)
        return guarded and any(self.named(match) for match in self.matcher.at(made, ModelLoad))

    def within(self, cls: Scope) -> tuple[CallPlace, ...]:
        """The loads in the methods of a class: parts of the model that its objects are."""
        if self._within is None:
            self._within = {}
            for load in self.matcher.find(ModelLoad):
                if load.place.scope.owner is not None and not load.rule.opaque and self.named(load):
                    self._within.setdefault(load.place.scope.owner, []).append(load.place)
        return tuple(self._within.get(cls, ()))

    def artifact(self, place: CallPlace, rule: ModelLoad) -> str | None:
        """The file, folder or hub name that a load names."""
        expr = port(place.call, rule.artifact) if rule.artifact else None
        return file_of(self.evaluator, expr, self.program.generic(place.scope)) if expr is not None else None

    # ------------------------------------------------------------ finding

    def _weights(self, match: Match[ModelConfigure], receiver: ir.Expr) -> None:
        """Weights by their file, or those that another load read (`torch.load`): then that is the load."""
        expr = port(match.place.call, match.rule.artifact)
        read = self._reads(expr, match.place) if expr is not None else []
        for place, rule in read:
            for site, _, _ in self._objects(match.place, self.program.generic(match.place.scope), receiver, 0):
                self._add(site, Filling(place, None, self.artifact(place, rule), True))
        if not read:
            self._reads_into(match.place, receiver, match.rule.artifact, None)

    def _reads(self, expr: ir.Expr, place: CallPlace) -> list[tuple[CallPlace, ModelLoad]]:
        """The loads whose result `expr` is, or holds."""
        frame = self.program.generic(place.scope)
        found: list[tuple[CallPlace, ModelLoad]] = []
        inner = [e for e in walk(expr) if isinstance(e, ir.Call)]
        for part in (expr, *(c for c in inner if c is not expr)):
            sites = {v.site for v in self.evaluator.values(part, frame) if isinstance(v, Api) and v.site is not None}
            for site in sorted(sites, key=lambda s: (s.file, s.at)):
                if (made := self.program.call_at(site)) and (match := next(self.matcher.at(made, ModelLoad), None)):
                    found.append((match.place, match.rule))
            if found:
                break
        return found

    def _reads_into(self, place: CallPlace, receiver: ir.Expr, artifact: str, rule: ModelLoad | None) -> None:
        expr = port(place.call, artifact) if artifact else None
        for site, shown, frame in self._objects(place, self.program.generic(place.scope), receiver, 0):
            artifact_file = file_of(self.evaluator, expr, frame) if expr is not None else None
            self._add(site, Filling(shown, rule, artifact_file, rule is not None))

    def _add(self, site: Site, filling: Filling) -> None:
        assert self._into is not None
        known = self._into.setdefault(site, [])
        if all(k.place.call is not filling.place.call for k in known):
            known.append(filling)

    def _objects(self, place: CallPlace, frame: Frame, receiver: ir.Expr, depth: int) -> list[tuple[Site, CallPlace, Frame]]:
        """The objects that `receiver` may be, with the place that shows the load and the frame of the function that makes it.

        A helper that is handed several objects loads once for each of its callers: the load is shown where the helper is called.
        """
        found: list[tuple[Site, CallPlace, Frame]] = []
        if depth < DEEPEST and isinstance(receiver, ir.Name) and place.scope.kind == "function":
            for caller, argument, entered in self._callers(place.scope, receiver.id):
                for site, shown, inner in self._objects(caller, self.program.generic(caller.scope), argument, depth + 1):
                    found.append((site, shown, entered if depth == 0 else inner))
            if len({shown.call.at for _, shown, _ in found}) == 1:
                found = [(site, place, inner) for site, _, inner in found]
        if not found:
            values = self.evaluator.values(receiver, frame)
            loads = place.call.func.attr if isinstance(place.call.func, ir.Attribute) and place.call.func.value is receiver else ""
            able = [v for v in values if isinstance(v, Instance) or (isinstance(v, Api) and (not loads or self._able(v, loads)))]
            sites = {v.made if isinstance(v, Api) else v.site for v in able}
            found = [(s, place, frame) for s in sorted((s for s in sites if s is not None), key=lambda s: (s.file, s.at))]
        return found

    def _able(self, made: Api, method: str) -> bool:
        """Whether this method reads into such an object, where a name may stand for objects of several libraries."""
        path = self.matcher.rulebook.canonical(f"{made.path}.{method}")
        found = self.matcher.rulebook.find(path, ModelLoad) or self.matcher.rulebook.find(path, ModelConfigure)
        return found is not None

    def _callers(self, scope: Scope, parameter: str) -> Iterator[tuple[CallPlace, ir.Expr, Frame]]:
        """The calls that give this parameter of a function an argument, and the frame they give the function."""
        if all(p.name != parameter for p in scope.function.parameters):
            return
        for place in self.program.calls(scope.name):
            caller = self.program.generic(place.scope)
            for target in (t for v in self.evaluator.values(place.call.func, caller) for t in self.evaluator.callables(v)):
                if target.scope is scope:
                    rest = scope.function.parameters[1 if target.receiver is not None else 0 :]
                    argument = argument_map(rest, place.call).get(parameter)
                    if argument is not None:
                        yield place, argument, self.evaluator.enter(target, self.evaluator.bind(target, place.call, caller))

    def named(self, load: Match[ModelLoad]) -> bool:
        """Whether the load says what it reads, so that it is more than an architecture (`resnet18(weights=None)`)."""
        expr = port(load.place.call, load.rule.artifact) if load.rule.artifact else None
        constants = self.evaluator.values(expr, self.program.generic(load.place.scope))
        return bool(constants) and not any(isinstance(v, Literal) and v.value in (None, False) for v in constants)


def _context(place: CallPlace, method: str) -> ir.Expr | None:
    """`graph` where the innermost `with graph.as_default():` around a call opens it."""
    found = None
    for stmt in around(place.scope.body, place.call.at):
        for opened, _ in stmt.items if isinstance(stmt, ir.With) else ():
            if isinstance(opened, ir.Call) and isinstance(opened.func, ir.Attribute) and opened.func.attr == method:
                found = opened.func.value
    return found


def _receiver(call: ir.Call) -> ir.Expr | None:
    return call.func.value if isinstance(call.func, ir.Attribute) else None
