"""Takes what a recording saw of a value, gives its type, and what that adds to what the code says of it.

What was seen holds for what was recorded. So it fills in what the code does not say, and never takes the place of what it does say; and
of Python's own values it only says that they are such: whether a client's number is an int or a float is decided by each request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from triton_migrate.index.observed import Seen, Tree
from triton_migrate.plan.values.vtype import PLAIN, SHAPED, UNKNOWN, VType, union

Instances = Callable[[str], VType]  # of the class of that path
PYTHON = frozenset({"bool", "int", "float", "str", "bytes", "NoneType"})
BY_THE_CLIENT = frozenset({"bool", "int64", "float64"})  # what NumPy makes of Python's numbers, which each request may choose anew
ROUGH = frozenset({"?", "floating", ""})


def type_of(seen: Seen, instances: Instances) -> VType:
    return replace(union(tuple(_type(tree, instances) for tree in seen.trees)), observed=True)


def finer(known: VType, seen: VType) -> VType:
    """What the code says, with what was seen where it says nothing."""
    if known.kind == "unknown":
        return seen if seen.kind != "unknown" else known
    if known.kind != seen.kind or known.kind not in (*SHAPED, "number"):
        return known
    dtype = seen.dtype if known.dtype in ROUGH else known.dtype
    rank = known.rank or seen.rank
    return known if (dtype, rank) == (known.dtype, known.rank) else replace(known, dtype=dtype, rank=rank, observed=True)


def contradiction(known: VType, seen: VType) -> str:
    """How the two cannot both be true; "" where they can."""
    if {known.kind, seen.kind} == {"array", "tensor"}:
        return f"a{'n array' if known.kind == 'array' else ' tensor'} by the code, but the recording saw a {seen.kind}"
    if known.kind != seen.kind or known.kind not in (*SHAPED, "number"):
        return ""
    if not ROUGH & {known.dtype, seen.dtype} and known.dtype != seen.dtype:
        return f"{known.dtype} by the code, but the recording saw {seen.dtype}"
    if known.rank and seen.rank and known.rank != seen.rank:
        return f"{known.rank} axes by the code, but the recording saw {seen.rank}"
    return ""


def _type(tree: Tree, instances: Instances) -> VType:
    name, items = tree["type"], tree.get("items")
    if name in PYTHON:
        return PLAIN
    if name == "tuple":
        return VType("tuple", items=tuple(_type(item, instances) for item in items)) if items is not None else UNKNOWN
    if name in ("list", "dict"):
        return VType(name, items=(union(tuple(_type(item, instances) for item in items)),) if items else (UNKNOWN,))
    found = next((kind for path in (name, *tree.get("bases", ())) if (kind := _instance(path, instances)).kind != "unknown"), UNKNOWN)
    shape = tree.get("shape")
    if shape is None or (found.kind == "array" and not shape):
        return found if shape is None else UNKNOWN
    return VType(found.kind, tree["dtype"], len(shape) if found.kind != "number" else 0)


def _instance(path: str, instances: Instances) -> VType:
    """Of a class by its own path, or by that of the package which shows it."""
    root, last = path.partition(".")[0], path.rpartition(".")[2]
    return next((kind for name in (path, f"{root}.{last}") if (kind := instances(f"{name}()")).kind != "unknown"), UNKNOWN)
