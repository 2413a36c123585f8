"""Takes the values that cross a cut, gives their Triton tensors and the expressions that pack and unpack them on either side."""

from __future__ import annotations

import re

from triton_migrate.plan.cutting.cut import NUMPY_TO_TRITON, Crossing, typed
from triton_migrate.plan.records import Tensor
from triton_migrate.plan.values.observed import BY_THE_CLIENT
from triton_migrate.plan.values.vtype import PLAIN_KINDS, VType, union

CODEC = (
    "pack|pack_file|pack_image|pack_images|pack_json|pack_rows|"
    "unpack_file|unpack_image|unpack_images|unpack_json|unpack_list|unpack_scalar|unpack_text|unpack_texts"
)
ANY = "pack_any|unpack_any"  # of triton_call
SCALAR_TYPES = {"int": "INT64", "float": "FP64", "bool": "BOOL", "str": "STRING", "bytes": "STRING"}


def tensor(crossing: Crossing, taken: set[str], made: bool = False) -> Tensor:
    """The tensor of one value: of its own dtype when that is known, else one STRING of JSON.

    Of an array that the model's side has `made` the axes need not be known: the server does not check an answer's shape, and the usual
    one is written down.
    """
    kind = crossing.type
    name = re.sub(r"\W", "_", crossing.name).upper().strip("_") or "VALUE"
    while name in taken:
        name += "_"
    taken.add(name)
    if made and kind.axed and not kind.rank and kind.dtype in NUMPY_TO_TRITON:
        provenance = "observed" if kind.observed else "inferred"
        return Tensor(name, NUMPY_TO_TRITON[kind.dtype], (-1,) if kind.one_row else (-1, -1), crossing.name, provenance)
    if not typed(kind) or (kind.observed and not made and kind.dtype in BY_THE_CLIENT):
        return Tensor(name, "STRING", (1,), crossing.name, "json")
    provenance = "observed" if kind.observed else "declared" if kind.declared else "inferred"
    if kind.kind == "array":
        rank = kind.rank - 1 if kind.one_row else kind.rank
        return Tensor(name, NUMPY_TO_TRITON[kind.dtype], (-1,) * rank or (1,), crossing.name, provenance)
    if kind.kind == "number":
        return Tensor(name, NUMPY_TO_TRITON[kind.dtype], (1,), crossing.name, provenance)
    if kind.kind == "list":
        return Tensor(name, SCALAR_TYPES.get(union(kind.items).kind, "STRING"), (-1,), crossing.name, provenance)
    return Tensor(name, SCALAR_TYPES.get(kind.kind, "STRING"), (1,), crossing.name, provenance)


def streamed(crossing: Crossing, taken: set[str], made: bool = False) -> Tensor:
    """The tensor of a value of a stream: Triton's HTTP streams are flat JSON, so all but text and numbers travel as JSON in a STRING."""
    kind = crossing.type.items[0] if crossing.type.kind == "stream" else crossing.type
    whole = tensor(Crossing(crossing.name, kind), taken, made)
    return whole if kind.kind in ("str", "int", "float", "bool") else Tensor(whole.name, "STRING", (1,), crossing.name, "json")


def edge(crossing: Crossing, taken: set[str]) -> Tensor:
    """The tensor of a value between two stages of an ensemble: what no dtype or JSON is known to carry travels as bytes."""
    kind = crossing.type
    whole = tensor(crossing, taken)
    plain = kind.kind in (*PLAIN_KINDS, "data") or has_record(kind) or (kind.kind in ("list", "dict", "tuple") and _is_plain(kind))
    return whole if whole.provenance != "json" or plain else Tensor(whole.name, "UINT8", (-1,), crossing.name, "bytes")


def _is_plain(kind: VType) -> bool:
    return all(i.kind in (*PLAIN_KINDS, "data") or (i.kind in ("list", "dict", "tuple") and _is_plain(i)) for i in kind.items)


def pack(value: str, made: Tensor, kind: VType) -> str:
    """The expression that makes the tensor's array, with its batch axis, from a value."""
    if made.provenance == "bytes":
        return f"pack_any({value})"
    if made.provenance == "json":
        return f"pack_json({value}.read())" if kind.kind == "file" else f"pack_json({value})"
    if kind.kind in ("image", "path"):
        return f"pack_{'file' if kind.kind == 'path' else 'image'}({value})"
    if kind.pictures:
        return f"pack_images({value})"
    if kind.kind == "file":
        return f'pack({value}.read(), "{made.dtype}")'
    return f'{"pack_rows" if kind.kind == "array" and kind.one_row else "pack"}({value}, "{made.dtype}")'


def unpack(array: str, made: Tensor, kind: VType) -> str:
    """The expression that gives the value back from the array."""
    if made.provenance == "bytes":
        return f"unpack_any({array})"
    if made.provenance == "json" and kind.kind == "file":
        return f"io.BytesIO(unpack_json({array}))"
    if made.provenance == "json":
        return f"unpack_json({', '.join((array, *classes(kind)))})"
    if kind.kind == "array":
        return array if kind.one_row else f"{array}[0]"
    if kind.kind == "number":
        return f"{array}.reshape(())[()]"
    if kind.pictures:
        return f"unpack_images({array})"
    if kind.kind == "list":
        return f"{'unpack_texts' if union(kind.items).kind == 'str' else 'unpack_list'}({array})"
    if kind.kind in ("image", "path"):
        return f"unpack_{'file' if kind.kind == 'path' else 'image'}({array})"
    if kind.kind == "file":
        return f"io.BytesIO(unpack_scalar({array}))"
    return f"unpack_text({array})" if kind.kind == "str" else f"unpack_scalar({array})"


def classes(kind: VType) -> tuple[str, ...]:
    """The classes of the records and members of Enums in a value: what comes out of JSON is made of them again."""
    return tuple(dict.fromkeys(r.cls.scope.name for r in records(kind) if r.cls is not None))


def has_record(kind: VType) -> bool:
    return kind.kind in ("record", "enum") or any(has_record(i) for i in kind.items)


def records(kind: VType) -> tuple[VType, ...]:
    """The record types inside a type."""
    return ((kind,) if kind.kind in ("record", "enum") else ()) + tuple(r for i in kind.items for r in records(i))


def functions(expression: str, known: str = CODEC) -> set[str]:
    """The codec functions an expression uses."""
    return set(re.findall(rf"\b({known})\(", expression))
