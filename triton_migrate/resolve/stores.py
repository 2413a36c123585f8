"""Takes the program's attribute and element stores, gives them by the object they put into: `app.state.x = ...`, `MODELS["x"] = ...`.

Stores through a method's own `self` are not here: they are looked up by class (see `attributes`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeAlias

from triton_migrate.index import ir
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.scopes import POSITION, Scope, Store
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Module, Site, UserClass, UserFunction, Value, Values

Owner: TypeAlias = tuple[str, object]


class Stores:
    """Stores by owner, filled once by `fill`; before that there are none."""

    def __init__(self, program: Program, asked: Callable[[Hashable], None]) -> None:
        self.program, self._asked = program, asked
        self._attributes: dict[tuple[Owner, str], list[Store]] = {}
        self._elements: dict[Owner, list[tuple[object, Store]]] = {}
        self._on_import: dict[Owner, list[tuple[str, Store]]] = {}
        self._calls: dict[str, set[ir.At]] = {}
        self._into: dict[int, set[Site | None]] = {}  # by id() of a store: where the object of a library was made that it puts into

    def fill(self, values: Callable[[ir.Expr, Scope], Values]) -> tuple[Hashable, ...]:
        """Ask once for each store what it puts into; the questions, as `asked` is told of them, that have other answers now than before."""
        attributes: dict[tuple[Owner, str], list[Store]] = {}
        elements: dict[Owner, list[tuple[object, Store]]] = {}
        on_import: dict[Owner, list[tuple[str, Store]]] = {}
        into: dict[int, set[Site | None]] = {}

        def owners(store: Store, name: str) -> set[Owner]:
            targets = values(store.target, store.scope)
            into[id(store)] = {v.site if isinstance(v, Api) else None for v in targets}
            found = {o for v in targets for o in _owner(v)}
            for owner in found if store.scope.kind == "module" else ():
                on_import.setdefault(owner, []).append((name, store))
            return found

        for file in self.program.files.values():
            for name, stores in file.attribute_stores.items():
                for store in stores:
                    if not to_self(store):
                        for owner in owners(store, name):
                            attributes.setdefault((owner, name), []).append(store)
            for asked, store in file.named_stores:
                texts = () if to_self(store) else values(asked, store.scope)
                for name in sorted(v.value for v in texts if isinstance(v, Literal) and isinstance(v.value, str)):
                    for owner in owners(store, name):
                        attributes.setdefault((owner, name), []).append(store)
            for key, stores in file.element_stores.items():
                for store in stores:
                    for owner in owners(store, ""):
                        elements.setdefault(owner, []).append((key, store))
        moved = {store for store, sites in into.items() if self._into.get(store) != sites}
        changed: list[Hashable] = [
            key
            for key in self._attributes.keys() | attributes.keys()
            if self._attributes.get(key) != (now := attributes.get(key)) or any(id(s) in moved for s in now or ())
        ]
        changed += [
            owner
            for owner in self._elements.keys() | elements.keys()
            if self._elements.get(owner) != (put := elements.get(owner)) or any(id(s) in moved for _, s in put or ())
        ]
        self._attributes, self._elements, self._on_import, self._into = attributes, elements, on_import, into
        return tuple(changed)

    def attribute(self, owner: Value, name: str) -> list[Store]:
        """`owner.name = value` anywhere."""
        owners = _owner(owner)
        for one in owners:
            self._asked((one, name))
        return self._counting([s for o in owners for s in self._attributes.get((o, name), ()) if self._same(s, owner)], owner)

    def element(self, owner: Value, key: object) -> list[Store]:
        """`owner[key] = value` anywhere; key None: any. A store under an unknown key may be every element."""
        owners = _owner(owner)
        for one in owners:
            self._asked(one)
        found = (pair for o in owners for pair in self._elements.get(o, ()))
        return self._counting([s for k, s in found if (key is None or k is None or _same_key(k, key)) and self._same(s, owner)], owner)

    def on_import(self, owner: Value) -> list[tuple[str, Store]]:
        """What the top level of any file puts into it: an attribute by its name, or an element."""
        return [(name, s) for o in _owner(owner) for name, s in self._on_import.get(o, ()) if not self.program.is_test(s.scope.file)]

    def _counting(self, stores: list[Store], owner: Value) -> list[Store]:
        """Without what a test puts into the application's own objects: a stub."""
        file = _place_of(owner) if stores else None
        if file is None or self.program.is_test(file):
            return stores
        return [s for s in stores if not self.program.is_test(s.scope.file)]

    def _same(self, store: Store, owner: Value) -> bool:
        """Whether both may be one object: not two applications, each made by a call of its own."""
        into = self._into[id(store)]
        if not isinstance(owner, Api) or owner.site in into or not self._made(owner.site):
            return True
        return not all(map(self._made, into))

    def _made(self, site: Site | None) -> bool:
        """Whether a call makes the object there, rather than that a parameter is said to be one."""
        if site is None:
            return False
        if site.file not in self._calls:
            self._calls[site.file] = {
                p.call.at for places in self.program.files[site.file].calls.values() for p in places if p.decorates is None
            }
        return site.at in self._calls[site.file]


def _same_key(stored: object, key: object) -> bool:
    return not isinstance(key, str) if stored is POSITION else stored == key and type(stored) is type(key)


def to_self(store: Store) -> bool:
    """Whether the store is `self.x = ...` in a method, or in a function inside one."""
    method = method_of(store.scope)
    return method is not None and is_self(store, method)


def method_of(scope: Scope) -> Scope | None:
    """The method a scope lies in."""
    at: Scope | None = scope
    while at is not None and at.owner is None:
        at = at.parent
    return at if at is not None and at.kind == "function" else None


def is_self(store: Store, method: Scope) -> bool:
    parameters = method.function.parameters
    return bool(parameters) and getattr(store.target, "id", None) == parameters[0].name


def _place_of(value: Value) -> str | None:
    """The file in which it is made or defined."""
    match value:
        case Api(_, Site(file)) | Container(Site(file)) | Module(file) | Instance(UserClass(Scope(file=file))):
            return file
        case UserClass(scope) | UserFunction(scope):
            return scope.file
    return None


def _owner(value: Value) -> tuple[Owner, ...]:
    match value:
        case Api(path, _, None):
            return (("api", path),)
        case Api(path, _, of):
            return ("api", path), ("api", (path, of))
        case Instance(cls, Site() as site):
            return (("instance", (cls.scope, site)),)
        case Container(site):
            return (("container", site),)
        case Module(path):
            return (("module", path),)
        case UserClass(scope):
            return (("class", scope),)
        case UserFunction(scope):
            return (("function", scope),)
    return ()
