"""Abstract values: what an expression may be. Sets of these are what the resolver answers.

They hash by content and place, never by address or by Python's own seeded hash of text: sets of them, which are capped and cut short
where they grow too large, so come in the same order in every run. Nothing is asked for more often, so most keep their hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from triton_migrate.index import ir

if TYPE_CHECKING:
    from triton_migrate.resolve.scopes import Frame, Scope


@cache
def steady(text: str) -> int:
    """A hash of text that is the same in every run."""
    return crc32(text.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class Site:
    """Where an object was made: a call, a literal, or an annotated parameter."""

    file: str
    at: ir.At
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((steady(self.file), self.at)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Api:
    """Something of a library, by its access path (see rulebook.vocabulary).

    `site` is where the object at the path's root was made; `of` the program's own instance it was reached through, when its class
    only inherits the API, or the program's function or class that a library's decorator made this of.
    """

    path: str
    site: Site | None = None
    of: Instance | UserFunction | UserClass | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((steady(self.path), self.site or 0, self.of or 0)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def made(self) -> Site | None:
        """Where the object was made: the program's own one, when only its class is the library's."""
        return self.of.site if isinstance(self.of, Instance) else self.site

    @property
    def called(self) -> str:
        """The path that rules about calling it have: calling an instance is written `Type()()`."""
        return self.path + "()" if self.path.endswith(("()", "]")) else self.path


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function of the program; `receiver` is set for bound methods, `frame` is where it was defined."""

    scope: Scope
    frame: Frame
    receiver: Value | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.scope, self.frame, self.receiver or 0)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class UserClass:
    scope: Scope
    frame: Frame
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.scope, self.frame)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the program, by where it was made."""

    of: UserClass
    site: Site
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.of, self.site)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Module:
    path: str

    def __hash__(self) -> int:
        return steady(self.path)


@dataclass(frozen=True, slots=True)
class Literal:
    value: object

    def __hash__(self) -> int:
        match self.value:
            case int() | float() | complex():
                return hash(self.value)
            case str(text):
                return steady(text)
        return steady(repr(self.value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and type(other.value) is type(self.value) and other.value == self.value


@dataclass(frozen=True, slots=True)
class Container:
    """A list, tuple, set or dict, displayed or comprehended; its elements are evaluated on demand in `frame`."""

    site: Site
    expr: ir.Sequence | ir.Mapping | ir.Comprehension = field(compare=False, hash=False)
    frame: Frame


@dataclass(frozen=True, slots=True)
class Tuples:
    """A sequence by its parts; one part stands for all elements of an iterable (`zip(a, b)`, `d.items()`)."""

    parts: tuple[Values, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial`: a callable with arguments already given, as the call of it that they would make in `frame`."""

    function: Value
    call: ir.Call = field(compare=False, hash=False)
    frame: Frame
    site: Site


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known, and why: the to-do list of the rulebook."""

    reason: str

    def __hash__(self) -> int:
        return steady(self.reason)


Value: TypeAlias = Api | UserFunction | UserClass | Instance | Module | Literal | Container | Tuples | Partial | Unknown
Values: TypeAlias = frozenset[Value]
NOTHING: Values = frozenset()
