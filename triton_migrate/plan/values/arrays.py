"""Takes a call that makes an array of something, and its rule, gives dtype and axes of the result, as NumPy and its kin would.

What cannot be told stays "?" or 0: a value is only given a tensor of its own where the type is certain.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from triton_migrate.index import ir
from triton_migrate.plan.values.vtype import SHAPED, UNKNOWN, VType, depth, element_dtype, parse, union
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import DataConvert

PYTHON_DTYPES = {"float": "float64", "int": "int64", "bool": "bool", "bool_": "bool", "double": "float64", "single": "float32",
                 "half": "float16", "long": "int64", "float_": "float64", "int_": "int64"}  # fmt: skip
KNOWN = frozenset({"bool", "float16", "float32", "float64"} | {f"{s}int{n}" for s in ("", "u") for n in (8, 16, 32, 64)})
COMPARISONS = frozenset({"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"})
BITS = {"float16": 11, "float32": 24, "float64": 53}  # of integers that a float holds exactly
FLOATS = ("float16", "float32", "float64")


def made(rule: DataConvert, subject: VType, call: ir.Call, frame: Frame, evaluator: Evaluator) -> VType:
    """The array, tensor, number or image that a conversion gives of its subject."""
    found = parse(rule.result)
    if found.kind == "same":
        found = VType(subject.kind, "same")
    word, dims = found.dtype, rule.shape
    if rule.case and (chosen := _case(rule, call, frame, evaluator)) is not None:
        word, _, dims = chosen.partition(":")
    elif rule.case and rule.cases:
        word, dims = "?", ""
    dtype = _dtype(word, subject, call, frame, evaluator)
    if dtype == "floating" and found.kind == "tensor":
        dtype = "float32"  # what networks compute with; a wider one is refused where it is sent
    whole = _shaped(VType(found.kind, dtype), dims, subject, call, frame, evaluator)
    if rule.positions and (rule.positions == "*" or port(call, rule.positions) is not None):
        return VType("tuple", items=(whole, replace(whole, dtype="int64")))
    return whole


def _case(rule: DataConvert, call: ir.Call, frame: Frame, evaluator: Evaluator) -> str | None:
    """What the rule says for the value of its argument: a constant, or the name of one of the library's."""
    given = port(call, rule.case)
    words = [""] if given is None else [v.path.rpartition(".")[2] for v in evaluator.apis(given, frame)]
    if given is not None and not words and (constant := evaluator.constant(given, frame)) is not None:
        words = [str(constant)]
    cases = [c.split("=", 1) for c in rule.cases]
    answers = {next((says for pattern, says in cases if fnmatchcase(word, pattern)), None) for word in words}
    return answers.pop() if len(answers) == 1 else None


def _dtype(word: str, subject: VType, call: ir.Call, frame: Frame, evaluator: Evaluator) -> str:
    own = element_dtype(subject)
    match word:
        case "same":
            return own
        case "mean":
            return own if own.startswith("float") else "float64" if own in KNOWN else "floating"
        case "floating":  # NumPy makes float64 of integers, of small ones a smaller float
            return own if own.startswith("float") else "float64" if own in ("int64", "int32", "uint32", "uint64") else "floating"
        case "wide":  # what a sum is of
            return own if own in ("float16", "float32", "float64", "int64", "uint64") else "?"
        case _ if not word.startswith("arg:"):
            return word
    *names, last = word[4:].split("|")
    default = last if last in KNOWN or last in ("?", "same") else ""
    given = port(call, "|".join(names if default else (*names, last)))
    if given is None:
        return own if default == "same" else default or "?"
    for value in evaluator.values(given, frame):
        if isinstance(value, Api):
            name = value.path.rpartition(".")[2].removesuffix("()")
            return _known(PYTHON_DTYPES.get(name, name))
    text = evaluator.constant(given, frame)
    return _known(PYTHON_DTYPES.get(text, text)) if isinstance(text, str) else "?"


def _known(dtype: str) -> str:
    return dtype if dtype in KNOWN else "?"


# ---------------------------------------------------------------- axes


def _shaped(found: VType, word: str, subject: VType, call: ir.Call, frame: Frame, evaluator: Evaluator) -> VType:
    name, _, where = word.partition(":")
    rank, first = (subject.rank, subject.one_row) if subject.kind in SHAPED else (depth(subject), subject.one_row)
    match name:
        case "":
            return found
        case "same":
            return replace(found, rank=rank, one_row=first)
        case "axes":
            return replace(found, rank=rank)
        case "flat":
            return replace(found, rank=1)
        case "new":
            axis = evaluator.constant(given, frame) if (given := port(call, where)) is not None else None
            return replace(found, rank=rank + 1 if rank and isinstance(axis, int) else 0, one_row=axis == 0)
        case "drop":
            return _reduced(found, rank, port(call, where), port(call, "keepdims") is not None or port(call, "keepdim") is not None)
        case "dims":
            return _dims(found, _sizes(call, where))
        case "joined" | "stacked":
            return _joined(found, subject, call, 1 if name == "stacked" else 0)
    sizes = word.split(",")
    return replace(found, rank=len(sizes), one_row=sizes[0] == "1")


def _reduced(found: VType, rank: int, axis: ir.Expr | None, keeps: bool) -> VType:
    scalar = VType("number", found.dtype) if found.kind == "array" else found
    if axis is None or (isinstance(axis, ir.Constant) and axis.value is None):
        return replace(scalar, rank=0, one_row=False) if not keeps else found
    if keeps:
        return replace(found, rank=rank)
    return scalar if rank == 1 else replace(found, rank=max(rank - 1, 0))


def _sizes(call: ir.Call, where: str) -> tuple[ir.Expr, ...] | None:
    """The sizes given as one tuple or number at a port, or (`*0`) as the arguments themselves."""
    given = call.args if where.startswith("*") else tuple(e for e in (port(call, where),) if e is not None)
    if len(given) == 1 and isinstance(given[0], ir.Sequence):
        given = given[0].items
    elif len(given) == 1 and not isinstance(given[0], (ir.Constant, ir.Operation)) and not _is_count(given[0]):
        return None  # a variable: a number or a tuple
    return None if not given or any(isinstance(e, ir.Starred) for e in given) else given


def _is_count(expr: ir.Expr) -> bool:
    """`len(names)`"""
    return isinstance(expr, ir.Call) and isinstance(expr.func, ir.Name) and expr.func.id in ("len", "int")


def _dims(found: VType, sizes: tuple[ir.Expr, ...] | None) -> VType:
    if sizes is None:
        return found
    return replace(found, rank=len(sizes), one_row=isinstance(sizes[0], ir.Constant) and sizes[0].value == 1)


def _joined(found: VType, subject: VType, call: ir.Call, more: int) -> VType:
    """Of a list of arrays: along an axis they have, or along a new one."""
    inner = union(subject.items) if subject.kind in ("list", "tuple") and subject.items else UNKNOWN
    front = not any(k in ("axis", "dim") for k, _ in call.keywords) and len(call.args) < 2
    alone = more == 1 and front and subject.one_row
    return replace(found, rank=inner.rank + more if inner.kind in SHAPED and inner.rank else 0, one_row=alone)


def indexed(base: VType, index: ir.Expr | None) -> VType:
    """`x[index]` of an array or tensor; without an index: what iterating over it gives."""
    items = index.items if isinstance(index, ir.Sequence) and index.kind == "tuple" else (index,)
    uses = [_use(i) for i in items]
    rank = base.rank - uses.count("gone") + uses.count("new")
    first = uses[0] == "new" or (uses[0] == "whole" and base.one_row)
    if "?" in uses or not base.rank:
        return VType(base.kind, base.dtype, one_row=first)
    if rank <= 0:
        return VType("number" if base.kind == "array" else base.kind, base.dtype)
    return VType(base.kind, base.dtype, rank, first)


def _use(item: ir.Expr | None) -> str:
    """What a part of an index does: takes an axis away, adds one, or keeps it, whole or in part."""
    match item:
        case None:
            return "gone"
        case ir.Constant(_, value):
            integer = isinstance(value, int) and not isinstance(value, bool)
            return "new" if value is None else "whole" if value is Ellipsis else "gone" if integer else "?"
        case ir.Operation(_, "USub", (ir.Constant(),)):
            return "gone"
        case ir.Attribute(_, _, "newaxis"):
            return "new"
        case ir.Slice(_, parts):
            return "part" if parts else "whole"
    return "?"


# ---------------------------------------------------------------- operators


def operated(operator: str, types: tuple[VType, ...]) -> VType:
    """What an operator gives where an operand is an array, a tensor or a NumPy number; comparisons give booleans.

    NumPy makes an array of a list first.
    """
    if not any(t.kind == "tensor" for t in types):
        types = tuple(VType("array", element_dtype(t), depth(t)) if t.kind in ("list", "tuple") else t for t in types)
    shaped = [t for t in types if t.kind in ("tensor", "array")]
    dtype = "bool" if set(operator.split("+")) & COMPARISONS else _promoted(operator, types)
    if not shaped:
        return VType("number", dtype)
    kind = "tensor" if any(t.kind == "tensor" for t in shaped) else "array"
    if not all(t.rank for t in shaped):
        return VType(kind, dtype)
    rank = max(t.rank for t in shaped)
    return VType(kind, dtype, rank, all(t.one_row for t in shaped if t.rank == rank))


def _promoted(operator: str, types: tuple[VType, ...]) -> str:
    arrays = {t.dtype for t in types if t.kind in ("array", "tensor")}
    numbers = {t.dtype for t in types if t.kind == "number"}
    scalars = {t.kind for t in types} - {"array", "tensor", "number"}
    if not scalars <= {"int", "float", "bool"} or not arrays | numbers <= KNOWN | {"floating"} or operator in ("Pow", "MatMult"):
        return "?"
    given = sorted(arrays | numbers)
    if "floating" in given or (numbers and (len(given) > 1 or scalars)):  # NumPy 1 and 2 differ about scalars
        return "floating" if "float" in scalars or any(d.startswith("float") for d in given) else "?"
    dtype = given[0]
    for other in given[1:]:
        dtype = _common(dtype, other)
    tensor = any(t.kind == "tensor" for t in types)
    if dtype != "?" and not dtype.startswith("float") and (operator == "Div" or "float" in scalars):
        return "float32" if tensor else "float64"
    return dtype


def _common(one: str, two: str) -> str:
    """What two dtypes are promoted to; "?" for those that are rare together."""
    if one == two:
        return one
    floats = sorted((d for d in (one, two) if d in FLOATS), key=FLOATS.index)
    if not floats:
        return "?"
    other = one if floats == [two] else two
    bits = BITS.get(other) or (1 if other == "bool" else int(other.lstrip("uint")))
    return next(f for f in FLOATS[FLOATS.index(floats[0]) :] if BITS[f] >= bits or f == "float64")
