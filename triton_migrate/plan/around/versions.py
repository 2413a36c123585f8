"""Takes the pipelines, gives the models between which they choose as versions of one Triton model, where they can be.

`MODELS = {"v1": load("a"), "v2": load("b")}` becomes `MODELS = {"v1": 1, "v2": 2}`: what the application chooses with (a look-up, its
own test for unknown names, a draw between two) goes on choosing, and what it chooses is the number of a version. So do two globals of
which one is chosen (`model = new if draw() < 0.1 else old`). The models must differ in what is loaded only, all by the same call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.registries import ENTRY, Mark, Registry, Version, marks
from triton_migrate.plan.cutting.alone import receiver
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, Store
from triton_migrate.resolve.values import Container, Instance, Site, Values
from triton_migrate.trace.records import Pipeline

NUMBERED = re.compile(r"(?:(?:model|version|ver)[-_ ]?)?v?[-_ ]?(\d{1,9})", re.IGNORECASE)
FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a dict; `at` is where its number is written, as the dict of all numbers under `index` where it stands for several."""

    key: object
    expr: ir.Expr
    scope: Scope
    at: ir.At
    index: str | None = None  # None: a number of its own; "": the whole dict
    given: tuple[tuple[str, object], ...] = ()


class Registries:
    """Answers for one program; `pipelines` are all of it."""

    def __init__(self, evaluator: Evaluator, pipelines: tuple[Pipeline, ...]) -> None:
        self.evaluator = evaluator
        self._busy = frozenset(step.scope for p in pipelines for step in p.steps)  # what runs when a request is answered
        held = {p.entry.id: self._held(p) for p in pipelines if p.sites}
        found = [*self._dicts(), *self._named(held)] if held else []
        self._of = {entry: self._registry(each, found) for entry, each in held.items()}
        chosen = {r for entry, r in self._of.items() if r is not None and self._chooses(r, held[entry])}
        self._of = {entry: r if r in chosen else None for entry, r in self._of.items()}

    def of(self, pipeline: Pipeline) -> Registry | None:
        """What the pipeline takes its model from; None where there is none, or where nothing ever chooses from it."""
        return self._of.get(pipeline.entry.id)

    def _held(self, pipeline: Pipeline) -> tuple[frozenset[Mark], ...]:
        """What each predict call may be of."""
        return tuple(marks(self.evaluator.values(receiver(s), s.frame)) for s in pipeline.sites)

    def _registry(self, held: tuple[frozenset[Mark], ...], found: list[Registry]) -> Registry | None:
        for registry in found:
            every = registry.marks | registry.members
            asked = [each for each in held if each & every]
            if asked and all(each <= every for each in asked):
                return registry
        return None

    def _chooses(self, registry: Registry, held: tuple[frozenset[Mark], ...]) -> bool:
        looped = any(v.given for v in registry.versions)  # one expression loads all
        one = len(registry.marks) == 1 and self._looked_up(registry)  # one function does
        return looped or one or any(len(each & (registry.marks | registry.members)) > 1 for each in held)

    def _looked_up(self, registry: Registry) -> bool:
        """Whether a request says which entry it means."""
        for scope in self._busy:
            frame = self.evaluator.program.generic(scope)
            for expr in (e for stmt in flow.flatten(scope.node.body) for e in flow.own(stmt)):
                match expr:
                    case ir.Subscript(_, held, key) | ir.Call(_, ir.Attribute(_, held, "get"), (key, *_)):
                        if not isinstance(key, ir.Constant) and registry.of(self.evaluator.values(held, frame)):
                            return True
        return False

    # ------------------------------------------------------------ dicts

    def _dicts(self) -> Iterator[Registry]:
        for path, file in self.evaluator.program.files.items():
            for scope in () if self.evaluator.program.is_test(path) else file.scopes:
                for stmt in flow.flatten(scope.node.body) if scope.kind != "class" else ():
                    made = stmt.value if isinstance(stmt, (ir.Assign, ir.Return)) else None
                    if isinstance(made, (ir.Mapping, ir.Comprehension)) and (found := self._dict(made, scope)) is not None:
                        yield found

    def _dict(self, made: ir.Mapping | ir.Comprehension, scope: Scope) -> Registry | None:
        frame, site = self.evaluator.program.generic(scope), Site(scope.file, made.at)
        container = Container(site, made, frame)
        stores = self.evaluator.stores.element(container, None)
        displayed = tuple(self._displayed(made, scope, frame))
        filled = tuple(e for s in stores for e in self._stored(s))
        if (displayed and stores) or any(s.scope in self._busy for s in stores) or len(filled) < len(stores):
            return None
        return self._made(displayed or filled, Span(scope.file, *made.at), frozenset({site}), frozenset())

    def _displayed(self, made: ir.Mapping | ir.Comprehension, scope: Scope, frame: Frame) -> Iterator[_Entry]:
        match made:
            case ir.Mapping(_, keys, values) if keys and all(isinstance(k, ir.Constant) for k in keys):
                yield from (_Entry(k.value, v, scope, v.at) for k, v in zip(keys, values, strict=True) if isinstance(k, ir.Constant))
            case ir.Comprehension(_, "dict", ir.Name(_, key), value, ((target, over, ()),)) if value is not None:
                rounds = self._rounds(target, over, frame)
                yield from (_Entry(dict(given)[key], value, scope, made.at, "", given) for given in rounds if key in dict(given))

    def _stored(self, store: Store) -> Iterator[_Entry]:
        """`models["v1"] = load("a")`, and `models[name] = load(name)` in a loop over constants."""
        stmt = next((s for s in flow.flatten(store.scope.node.body) if s.at == store.at and isinstance(s, ir.Assign)), None)
        target = stmt.targets[0] if stmt is not None and len(stmt.targets) == 1 else None
        match target:
            case ir.Subscript(_, _, ir.Constant(_, key)):
                yield _Entry(key, store.value, store.scope, store.value.at)
            case ir.Subscript(_, _, ir.Name(_, name)):
                loops = tuple(flow.loops_around(store.scope.node.body, store.at))
                if len(loops) == 1 and isinstance(loops[0], ir.For):
                    rounds = self._rounds(loops[0].target, loops[0].iterable, self.evaluator.program.generic(store.scope))
                    found = (given for given in rounds if name in dict(given))
                    yield from (_Entry(dict(g)[name], store.value, store.scope, store.value.at, name, g) for g in found)

    def _rounds(self, target: ir.Expr, over: ir.Expr, frame: Frame) -> Iterator[tuple[tuple[str, object], ...]]:
        """What the variables of a loop over constants are, round by round: `for v in VERSIONS`, `for v, path in PATHS.items()`."""
        match target, over:
            case ir.Name(_, name), _:
                yield from (((name, item),) for item in self._items(over, frame))
            case ir.Sequence(_, _, (ir.Name(_, name), ir.Name(_, other))), ir.Call(_, ir.Attribute(_, held, "items"), ()):
                display = self._display(held, frame)
                pairs = list(zip(display.keys, display.values, strict=True)) if isinstance(display, ir.Mapping) else []
                if all(isinstance(k, ir.Constant) and isinstance(v, ir.Constant) for k, v in pairs):
                    constants = ((k.value, v.value) for k, v in pairs if isinstance(k, ir.Constant) and isinstance(v, ir.Constant))
                    yield from (((name, key), (other, value)) for key, value in constants)

    def _items(self, expr: ir.Expr, frame: Frame) -> tuple[object, ...]:
        """The items of a list or tuple, or the keys of a dict, that are all constants."""
        display = self._display(expr, frame)
        items = display.items if isinstance(display, ir.Sequence) else display.keys if isinstance(display, ir.Mapping) else ()
        constants = tuple(i.value for i in items if isinstance(i, ir.Constant))
        return constants if len(constants) == len(items) else ()

    def _display(self, expr: ir.Expr, frame: Frame) -> ir.Expr | None:
        values = self.evaluator.values(expr, frame)
        found = next(iter(values)) if len(values) == 1 else None
        return found.expr if isinstance(found, Container) and not self.evaluator.stores.element(found, None) else None

    # ------------------------------------------------------------ names

    def _named(self, held: dict[str, tuple[frozenset[Mark], ...]]) -> Iterator[Registry]:
        """Globals of one module of which a pipeline may run the one or the other."""
        for wanted in {each for sites in held.values() for each in sites if len(each) > 1}:
            for path, frame in self.evaluator.program.frames.items():
                entries = tuple(self._globals(path, frame, wanted))
                known = frozenset(m for e in entries for m in marks(self.evaluator.values(e.expr, frame)))
                if len(entries) >= FEWEST and known == wanted:
                    names = frozenset((path, str(e.key)) for e in entries)
                    if (found := self._made(entries, Span(path, *entries[0].at), frozenset(), names)) is not None:
                        yield found

    def _globals(self, path: str, frame: Frame, wanted: frozenset[Mark]) -> Iterator[_Entry]:
        for name, bindings in frame.scope.bindings.items():
            only = bindings[0] if len(bindings) == 1 and not self.evaluator.program.global_bindings(path, name) else None
            if only is not None and only.how == "value" and isinstance(only.expr, ir.Call) and not only.unpacked:
                if (found := marks(self.evaluator.values(only.expr, frame))) and found <= wanted:
                    yield _Entry(name, only.expr, frame.scope, only.expr.at)

    # ------------------------------------------------------------ both

    def _made(
        self, entries: tuple[_Entry, ...], span: Span, containers: frozenset[Site], names: frozenset[tuple[str, str]]
    ) -> Registry | None:
        if len(entries) < FEWEST or len({repr(e.key) for e in entries}) < len(entries) or not all(map(self._free, entries)):
            return None
        found, members, loaders, classes = frozenset[Mark](), frozenset[Mark](), set(), dict[Scope, None]()
        for entry in entries:
            frame = self.evaluator.program.generic(entry.scope)
            values = self.evaluator.values(entry.expr, frame)
            found |= marks(values)
            members |= frozenset(m for v in values if isinstance(v, Container) for m in marks(self.evaluator.element(v, None)))
            classes |= {v.of.scope: None for v in values if isinstance(v, Instance)}
            loaders.add(self._loader(entry.expr, frame))
        if (
            len(loaders) > 1
            or None in loaders
            or not all(site is not None and (path.endswith("()") or path == ENTRY) for path, site in found)
        ):
            return None
        makers = [self._maker(site, entries) for _, site in found if site is not None]
        if None in makers:
            return None
        numbers = _numbers([e.key for e in entries])
        versions = tuple(Version(n, e.key, e.expr, e.scope, e.given) for n, e in zip(numbers, entries, strict=True))
        whole = "{" + ", ".join(f"{v.key!r}: {v.number}" for v in versions) + "}"
        edits = {
            Span(e.scope.file, *e.at): str(v.number) if e.index is None else f"{whole}[{e.index}]" if e.index else whole
            for e, v in zip(entries, versions, strict=True)
        }
        loading = (*((m.file, m.function.at) for m in dict.fromkeys(makers) if m), *((c.file, c.definition.at) for c in classes))
        return Registry(span, versions, found, members, containers, names, tuple(edits.items()),
                        tuple(Span(file, *at) for file, at in loading))  # fmt: skip

    def _maker(self, site: Site, entries: tuple[_Entry, ...]) -> Scope | Literal[False] | None:
        """The function that makes the entries there, False where they are made in place; None for one that makes others, too: they could
        not be told from the entries."""
        program = self.evaluator.program
        places = [Span(e.scope.file, *e.expr.at) for e in entries]
        if any(place.holds(Span(site.file, *site.at)) for place in places):
            return False
        around = [s for s in program.files[site.file].scopes if s.kind == "function" and ir.holds(s.function.at, site.at)]
        if not around:
            return None
        maker = max(around, key=lambda scope: scope.function.at)
        calls = (*program.calls(maker.name), *self.evaluator.handing.of(maker.name))
        mine = (c for c in calls if any(maker is f.scope for v in self._called(c) for f in self.evaluator.callables(v)))
        return maker if all(any(place.holds(Span(c.scope.file, *c.call.at)) for place in places) for c in mine) else None

    def _called(self, place: CallPlace) -> Values:
        return self.evaluator.values(place.call.func, self.evaluator.program.generic(place.scope))

    def _free(self, entry: _Entry) -> bool:
        """Whether the load needs nothing of the function that it stands in, but what its loop gives and the file opened for it."""
        given = {name for name, _ in entry.given}
        local = set(entry.scope.bindings) if entry.scope.kind == "function" else set()
        opened = flow.opened(entry.scope.node.body, entry.expr)
        made = flow.binds(tuple(s._replace(body=()) for s in opened))
        exprs = (entry.expr, *(e for s in opened for e, _ in s.items))
        return not ({n.id for e in exprs for n in flow.names(e)} & local) - given - made

    def _loader(self, expr: ir.Expr, frame: Frame) -> object:
        """By what two entries are loaded alike; None for what is not loaded."""
        match expr:
            case ir.Call(_, ir.Attribute(_, ir.Call() as inner, name)):  # `load(path).eval()`
                return (name, self._loader(inner, frame))
            case ir.Call(_, func):
                return self.evaluator.values(func, frame)
            case ir.Mapping(_, keys, values) if all(isinstance(k, ir.Constant) for k in keys):
                parts = tuple(self._loader(v, frame) if not isinstance(v, ir.Constant) else "" for v in values)
                return (tuple(k.value for k in keys if isinstance(k, ir.Constant)), parts) if any(parts) and None not in parts else None
        return None


def _numbers(keys: list[object]) -> tuple[int, ...]:
    """Those that the names say, where all do and no two the same; else as they are written."""
    said = [key if isinstance(key, int) else int(m[1]) if isinstance(key, str) and (m := NUMBERED.fullmatch(key)) else 0 for key in keys]
    return tuple(said) if all(number > 0 for number in said) and len({*said}) == len(said) else tuple(range(1, len(keys) + 1))
