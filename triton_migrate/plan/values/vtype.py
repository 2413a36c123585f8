"""What is known of a value's type: enough to choose a tensor, or to say that it cannot travel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from triton_migrate.resolve.values import UserClass

SCALARS = ("str", "bytes", "int", "float", "bool")
STUCK = frozenset({"tensor", "object", "stream", "generator"})
PLAIN_KINDS = frozenset({*SCALARS, "none", "plain"})  # what JSON gives back as it was
SHAPED = frozenset({"array", "tensor", "image"})


@dataclass(frozen=True, slots=True)
class VType:
    """What a value is: str bytes int float bool none plain list tuple dict data array number tensor frame image file record object ...

    `plain` is one of Python's own scalars or None, which one is not known; `data` anything that JSON can carry; a `number` a NumPy scalar.
    A `frame` is a pandas table or column, an `enum` a member of an Enum, a `buffer` a file in memory, a `path` that of a
    file, a `stream` a library's iterator that another thread fills, a `generator` what a generator function of the program gives;
    `items` is then what comes out of it.

    `dtype` is NumPy's name, "floating" for a float of unknown width, or "?"; `rank` counts axes (0 = unknown); `one_row`: the first axis
    is known to be 1. An image's are those of the array made of it. `items` are element types; `cls` is the class of a record; `declared`
    says that an annotation gave the type; `observed` that it rests on what a recording saw, which is no other type.
    """

    kind: str
    dtype: str = "?"
    rank: int = 0
    one_row: bool = False
    axed: bool = False  # of an array of unknown axes: it has one or more, it is no single value
    items: tuple[VType, ...] = ()
    cls: UserClass | None = None
    declared: bool = False
    observed: bool = field(default=False, compare=False)

    @property
    def travels(self) -> bool | None:
        """Whether it can be serialised; None = not known."""
        if self.kind in STUCK:
            return False
        if self.kind == "unknown":
            return None
        if any(i.pictures or i.kind == "file" or (i.kind == "image" and not self.pictures) for i in self.items):
            return False  # JSON has no pictures and no files that are open
        answers = [i.travels for i in self.items]
        return False if False in answers else None if None in answers else True

    @property
    def pictures(self) -> bool:
        """Whether it is a list of images, which is a tensor of its own."""
        return self.kind == "list" and bool(self.items) and all(i.kind == "image" for i in self.items)


UNKNOWN = VType("unknown")
PLAIN = VType("plain")
DATA = VType("data")


def parse(result: str) -> VType:
    """A rule's `result` ("array:float64", "tensor:?", "same", "list:object", "tuple:str,float") as a type."""
    kind, _, dtype = result.partition(":")
    if kind in ("stream", "generator", "list", "tuple") and dtype:
        return VType(kind, items=tuple(map(parse, dtype.split(","))))
    return VType(kind or "unknown", dtype or "?")


def union(types: tuple[VType, ...]) -> VType:
    """What a value is that may be any of these."""
    found = _union(types)
    return replace(found, observed=True) if any(t.observed for t in types) and not found.observed else found


def _union(types: tuple[VType, ...]) -> VType:
    distinct = tuple(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    kinds = {t.kind for t in distinct}
    if len(kinds) == 1 and kinds <= {"array", "tensor", "image", "number"}:
        ranks, dtypes = {t.rank for t in distinct}, {t.dtype for t in distinct}
        return VType(
            distinct[0].kind,
            dtypes.pop() if len(dtypes) == 1 else "?",
            ranks.pop() if len(ranks) == 1 else 0,
            all(t.one_row for t in distinct),
        )
    if len(kinds) == 1 and kinds & {"list", "dict"}:
        return VType(
            distinct[0].kind, items=(union(tuple(i for t in distinct for i in t.items)),) if any(t.items for t in distinct) else ()
        )
    if len(kinds) == 1 and kinds & set(SCALARS):
        return VType(distinct[0].kind)  # declared here, inferred there
    if kinds & STUCK:
        return VType("object")
    if kinds <= PLAIN_KINDS:
        return PLAIN  # an int stays an int: 1 is not sent as 1.0
    if all(t.travels for t in distinct) and not kinds & {"record", "enum", "image", "file"}:
        return DATA
    return either(distinct)


def either(types: tuple[VType, ...]) -> VType:
    """One of these, it is not known which: of records the classes are, so that what comes out of JSON is made of them again."""
    return VType("unknown", items=tuple(t for t in types if t.kind in ("record", "enum") or (t.items and t.kind == "unknown")))


def depth(subject: VType) -> int:
    """The axes of the array that NumPy makes of nested lists; 0 = unknown."""
    count, at = 0, subject
    while at.kind in ("list", "tuple"):
        count += 1
        at = union(at.items) if at.items else UNKNOWN
    return count if at.kind in (*SCALARS, "number", "plain") else count + at.rank if at.kind == "array" and at.rank else 0


def element_dtype(subject: VType) -> str:
    """What NumPy makes of a value's elements."""
    at = subject
    while at.kind in ("list", "tuple") and at.items:
        at = numeric(at.items)
    return {"float": "float64", "int": "int64", "bool": "bool"}.get(at.kind, at.dtype)


def numeric(types: tuple[VType, ...]) -> VType:
    """As `union`, for elements of one array: NumPy makes floats of integers among floats."""
    kinds = {t.kind for t in types}
    return VType("float") if kinds <= {"int", "float"} and "float" in kinds else union(types)


def python_kind(dtype: str) -> str:
    """The Python scalar that `.item()` and `.tolist()` make of a dtype."""
    return "float" if dtype.startswith("float") else "int" if dtype.startswith(("int", "uint")) else "bool" if dtype == "bool" else "plain"
