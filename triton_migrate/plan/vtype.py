"""What is known of a value's type: enough to choose a tensor, or to say that it cannot travel."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.resolve.values import UserClass

SCALARS = ("str", "bytes", "int", "float", "bool")
STUCK = frozenset({"tensor", "object"})


@dataclass(frozen=True, slots=True)
class VType:
    """What a value is. `kind`: str bytes int float bool none list tuple dict array tensor frame image record object unknown.

    A `frame` is a pandas table or column, an `enum` a member of an Enum.

    `dtype` is NumPy's name or "?"; `rank` counts axes (0 = unknown); `one_row`: the first axis is known to be 1; `items` are element
    types; `cls` is the class of a record; `declared` says that an annotation gave the type.
    """

    kind: str
    dtype: str = "?"
    rank: int = 0
    one_row: bool = False
    items: tuple[VType, ...] = ()
    cls: UserClass | None = None
    declared: bool = False

    @property
    def travels(self) -> bool | None:
        """Whether it can be serialised; None = not known."""
        if self.kind in STUCK:
            return False
        if self.kind == "unknown":
            return None
        answers = [i.travels for i in self.items]
        return False if False in answers else None if None in answers else True


UNKNOWN = VType("unknown")


def parse(result: str) -> VType:
    """A rule's `result` ("array:float64", "tensor:?", "same", "list") as a type."""
    kind, _, dtype = result.partition(":")
    return VType(kind or "unknown", dtype or "?")


def union(types: tuple[VType, ...]) -> VType:
    """What a value is that may be any of these."""
    distinct = tuple(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    kinds = {t.kind for t in distinct}
    if kinds <= {"int", "float"}:
        return VType("float")
    if len(kinds) == 1 and kinds & {"array", "tensor"}:
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
    if kinds & STUCK:
        return VType("object")
    return UNKNOWN


def promoted(types: tuple[VType, ...], operator: str) -> str:
    dtypes = {t.dtype for t in types}
    if len(dtypes) != 1:
        return "?"
    (dtype,) = dtypes
    return dtype if operator != "Div" or dtype.startswith("float") else "?"


def depth(subject: VType) -> int:
    count, at = 0, subject
    while at.kind in ("list", "tuple"):
        count += 1
        at = union(at.items) if at.items else UNKNOWN
    return count if at.kind in SCALARS else count + at.rank if at.kind == "array" and at.rank else 0


def element_dtype(subject: VType) -> str:
    at = subject
    while at.kind in ("list", "tuple") and at.items:
        at = union(at.items)
    return {"float": "float64", "int": "int64", "bool": "bool"}.get(at.kind, at.dtype)


def python_kind(dtype: str) -> str:
    return (
        "float" if dtype.startswith("float") else "int" if dtype.startswith(("int", "uint")) else "bool" if dtype == "bool" else "unknown"
    )
