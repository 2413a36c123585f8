"""Takes the program, gives the other names a class of it goes by: a parameter's default, an argument, a variable, an entry of a table.

`Batcher(model)` is found by the class's name; `batcher_cls(model)` only by following what that name was given. Names are followed, not
values: who asks still looks at what each call calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from triton_migrate.index import ir
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.scopes import CallPlace, last_name

FURTHEST = 3  # names between the class and the call
MANY = 40  # calls of one name: too common a word to say anything


class Aliases:
    """Answers for one program; read from it when first asked."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._calls: dict[str, tuple[CallPlace, ...]] = {}

    def calls(self, name: str) -> tuple[CallPlace, ...]:
        """Calls that may be of what is defined as `name`, under other names."""
        if name not in self._calls:
            self._calls[name] = tuple(self._found(name))
        return self._calls[name]

    def _found(self, name: str) -> Iterator[CallPlace]:
        found, last = {name: None}, [name]
        for _ in range(FURTHEST):
            last = sorted({alias for known in last for alias in self._given.get(known, ())} - found.keys())
            found |= dict.fromkeys(last)
        for alias in list(found)[1:]:
            places = self.program.calls(alias)
            yield from places if len(places) <= MANY else ()

    @cached_property
    def _given(self) -> dict[str, set[str]]:
        """Names by the name of what they may stand for."""
        found: dict[str, set[str]] = {}
        for alias, expr in self._pairs():
            for name in _names(expr):
                if name != alias:
                    found.setdefault(name, set()).add(alias)
        return found

    def _pairs(self) -> Iterator[tuple[str, ir.Expr]]:
        """What every name of the program is given, wherever that is."""
        for file in self.program.files.values():
            for scope in file.scopes:
                yield from ((name, b.expr) for name, bound in scope.bindings.items() for b in bound if b.expr is not None)
                parameters = scope.function.parameters if scope.kind == "function" else ()
                yield from ((p.name, p.default) for p in parameters if p.default is not None)
            yield from ((attr, store.value) for attr, stores in file.attribute_stores.items() for store in stores)
            yield from ((last_name(store.target), store.value) for stores in file.element_stores.values() for store in stores)
            for name, places in file.calls.items():
                for place in places:
                    yield from ((keyword, value) for keyword, value in place.call.keywords if keyword is not None)
                    for names in self._positional.get(name, ()):
                        yield from zip(names, place.call.args, strict=False)

    @cached_property
    def _positional(self) -> dict[str, list[tuple[str, ...]]]:
        """The parameters of the functions of a name; of a class, those that making an object takes."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for file in self.program.files.values():
            for scope in file.scopes:
                if scope.kind == "function":
                    owner = scope.owner
                    name = owner.name if owner is not None and scope.name == "__init__" else scope.name
                    names = tuple(p.name for p in scope.function.parameters[1 if owner is not None else 0 :])
                    found.setdefault(name, []).append(names)
        return found


def _names(expr: ir.Expr) -> Iterator[str]:
    """The names of what an expression may hand on as it is, or out of a table."""
    match expr:
        case ir.Name() | ir.Attribute() | ir.Subscript():
            yield last_name(expr)
        case ir.Call(_, ir.Attribute(_, table, "get"), args):
            yield last_name(table)
            for default in args[1:2]:
                yield from _names(default)
        case ir.Conditional(_, _, then, orelse):
            yield from _names(then)
            yield from _names(orelse)
        case ir.Mapping(_, _, values) | ir.Sequence(_, _, values) | ir.Operation(_, "Or", values):
            for value in values:
                yield from _names(value)
